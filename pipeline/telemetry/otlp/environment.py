"""Where telemetry goes: our settings, and what OpenTelemetry's own variables say; read without importing any of it.

Source: OpenTelemetry's specification, "OTLP exporter configuration" and "Environment variable specification".
What says how to sample and what the service is called (`OTEL_TRACES_SAMPLER`, `OTEL_SERVICE_NAME`,
`OTEL_RESOURCE_ATTRIBUTES`) is read by the SDK itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import unquote

import attrs

from pipeline.settings import OFF, TelemetrySettings

HTTP = "http/protobuf"
"""The one protocol that is spoken here; it is the specification's default, too."""

_PATHS = {"traces": "v1/traces", "metrics": "v1/metrics"}
_TIMEOUT = 10.0
_INTERVAL = 60.0
_TEMPORALITY = "OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE"


@attrs.frozen
class Destination:
    """Where one kind of data goes.

    Attributes:
        url: the whole address.
        headers: what each post carries besides ours; there may be keys in them.
        timeout: seconds that one post may take.
        gzip: whether bodies are compressed.
        certificate: file with the authorities that are trusted; empty for the usual ones.
    """

    url: str
    headers: Mapping[str, str] = attrs.field(factory=dict, repr=False)
    timeout: float = _TIMEOUT
    gzip: bool = False
    certificate: str = ""


@attrs.frozen
class Exports:
    """What is exported.

    Attributes:
        traces: where spans go; None for nowhere.
        metrics: where metrics go; None for nowhere.
        interval: seconds between two exports of the metrics.
        ignored: variables that ask for what is not done here; for a warning.
    """

    traces: Destination | None = None
    metrics: Destination | None = None
    interval: float = _INTERVAL
    ignored: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        """Whether anything is exported at all."""
        return self.traces is not None or self.metrics is not None


def exports_of(settings: TelemetrySettings, environment: Mapping[str, str]) -> Exports:
    """Put settings and variables together; without an endpoint nothing is exported: a guess would help nobody.

    Args:
        settings: ours; they go before the variables.
        environment: the variables.
    """
    if settings.endpoint == OFF or environment.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        return Exports()
    wanted = [signal for signal, on in (("traces", settings.spans), ("metrics", settings.metrics)) if on]
    if settings.endpoint:
        headers = {name: each.reveal() for name, each in settings.headers.items()}
        found = {signal: Destination(f"{settings.endpoint}/{_PATHS[signal]}", headers) for signal in wanted}
        return Exports(found.get("traces"), found.get("metrics"), _interval(environment))
    asked = {signal: each for signal in wanted if (each := _destination(environment, signal)) is not None}
    protocols = {signal: _of_signal(environment, signal, "PROTOCOL") for signal in asked}
    ignored = [name for name, protocol in protocols.values() if protocol not in ("", HTTP)]
    spoken = {signal: each for signal, each in asked.items() if protocols[signal][1] in ("", HTTP)}
    if "metrics" in spoken and environment.get(_TEMPORALITY, "cumulative").strip().lower() != "cumulative":
        ignored.append(_TEMPORALITY)
    return Exports(spoken.get("traces"), spoken.get("metrics"), _interval(environment), tuple(dict.fromkeys(ignored)))


def _destination(environment: Mapping[str, str], signal: str) -> Destination | None:
    if environment.get(f"OTEL_{signal.upper()}_EXPORTER", "otlp").strip() not in ("", "otlp"):
        return None
    name, url = _of_signal(environment, signal, "ENDPOINT")
    if not url.startswith(("http://", "https://")):
        return None
    if f"_{signal.upper()}_" not in name:
        url = f"{url.rstrip('/')}/{_PATHS[signal]}"
    return Destination(
        url,
        _pairs(_of_signal(environment, signal, "HEADERS")[1]),
        _seconds(_of_signal(environment, signal, "TIMEOUT")[1], _TIMEOUT),
        _of_signal(environment, signal, "COMPRESSION")[1] == "gzip",
        _of_signal(environment, signal, "CERTIFICATE")[1],
    )


def _of_signal(environment: Mapping[str, str], signal: str, name: str) -> tuple[str, str]:
    """A variable for one kind of data, or for all: which it was, and its value."""
    own, common = f"OTEL_EXPORTER_OTLP_{signal.upper()}_{name}", f"OTEL_EXPORTER_OTLP_{name}"
    used = own if environment.get(own, "").strip() else common
    return used, environment.get(used, "").strip()


def _interval(environment: Mapping[str, str]) -> float:
    return _seconds(environment.get("OTEL_METRIC_EXPORT_INTERVAL", "").strip(), _INTERVAL)


def _pairs(text: str) -> dict[str, str]:
    """Read `name=value,name=value`, with values as in a URL; what is no pair, or fits no header, is left out."""
    pairs = (pair.partition("=") for pair in text.split(","))
    read = {name.strip().lower(): unquote(value.strip()) for name, equals, value in pairs if equals and name.strip()}
    return {name: value for name, value in read.items() if (name + value).isascii() and (name + value).isprintable()}


def _seconds(milliseconds: str, default: float) -> float:
    """Milliseconds as seconds; the default where that is none above 0, or no number a clock would take."""
    number = int(milliseconds) if milliseconds.isascii() and milliseconds.isdigit() and len(milliseconds) <= 9 else 0  # noqa: PLR2004
    return number / 1000 if number else default
