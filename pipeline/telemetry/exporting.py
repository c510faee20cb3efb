"""Whether anything is exported, and by what; where nothing is, nothing of OpenTelemetry is imported."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from structlog.typing import FilteringBoundLogger

from pipeline.settings import ConfigurationError, Settings
from pipeline.telemetry import names
from pipeline.telemetry.otlp.environment import exports_of
from pipeline.telemetry.tally import Tally

if TYPE_CHECKING:
    from pipeline.telemetry.otlp.exporter import Exporter

_LACKING = "sending telemetry needs OpenTelemetry's packages: install dragoman[otel]"


def exporter_of(
    settings: Settings, environment: Mapping[str, str], tally: Tally, log: FilteringBoundLogger, about: tuple[str, str]
) -> Exporter | None:
    """Make what exports, if anything is to be exported.

    Args:
        settings: ours.
        environment: has OpenTelemetry's own variables, which may be meant for another program: what they ask for in
            vain is a warning.
        tally: what is counted.
        log: gets that warning.
        about: our version, and the upstream's host.

    Raises:
        ConfigurationError: our own settings ask for what is not installed.
    """
    exports = exports_of(settings.telemetry, environment)
    if exports.ignored:
        log.warning(names.NOT_EXPORTED, ignored=",".join(exports.ignored), spoken="http/protobuf, cumulative")
    if not exports:
        return None
    try:
        from pipeline.telemetry.otlp.exporter import Exporter
    except ImportError:
        if settings.telemetry.endpoint:
            raise ConfigurationError([f"telemetry.endpoint: {_LACKING}"]) from None
        log.warning(names.NOT_EXPORTED, reason=_LACKING)
        return None
    return Exporter.of(exports, tally, *about)
