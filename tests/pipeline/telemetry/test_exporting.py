"""Whether OpenTelemetry is there at all."""

from __future__ import annotations

import subprocess
import sys

import pytest
import structlog.testing

from pipeline.settings import ConfigurationError, Settings, TelemetrySettings
from pipeline.telemetry.exporting import exporter_of
from pipeline.telemetry.request_metrics import tally_of

ABOUT = ("1.0", "upstream")
ENDPOINT = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://there"}

SERVED = """
import sys
import trio
from pipeline.endpoints import application
from pipeline.service import listen, open_service
from pipeline.settings import load
from pipeline.commands import listening

async def main():
    async with open_service(load({"upstream": "emulator", "port": 0}, {}, None)) as context:
        with trio.CancelScope() as scope:
            await listen(context, ready=lambda url: scope.cancel())
trio.run(main)
print(sorted(name for name in sys.modules if name.split(".")[0] in ("opentelemetry", "google", "prometheus_client")))
"""


def test_off_is_not_even_imported() -> None:
    """A server that exports nothing knows nothing of it."""
    done = subprocess.run([sys.executable, "-c", SERVED], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_where_the_packages_are_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Variables may be meant for another program, so they are worth a warning; a setting of ours is meant."""
    monkeypatch.setitem(sys.modules, "opentelemetry", None)
    for name in [name for name in sys.modules if name.startswith(("opentelemetry.", "pipeline.telemetry.otlp."))]:
        monkeypatch.delitem(sys.modules, name)
    log = structlog.testing.CapturingLogger()

    assert exporter_of(Settings(), ENDPOINT, tally_of(), log, ABOUT) is None
    assert [call.method_name for call in log.calls] == ["warning"]
    with pytest.raises(ConfigurationError, match="otel"):
        exporter_of(Settings(telemetry=TelemetrySettings(endpoint="http://here")), {}, tally_of(), log, ABOUT)


def test_what_is_not_spoken_is_said_once() -> None:
    """By the names of the variables alone: their values may be keys."""
    log = structlog.testing.CapturingLogger()
    variables = ENDPOINT | {"OTEL_EXPORTER_OTLP_PROTOCOL": "grpc", "OTEL_EXPORTER_OTLP_HEADERS": "key=quetzal"}

    assert exporter_of(Settings(), variables, tally_of(), log, ABOUT) is None
    (call,) = log.calls
    assert call.kwargs["ignored"] == "OTEL_EXPORTER_OTLP_PROTOCOL"
    assert "quetzal" not in repr(call)
