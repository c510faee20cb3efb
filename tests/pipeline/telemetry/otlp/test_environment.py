"""What the variables and our settings make of each other."""

from __future__ import annotations

import pytest

from pipeline.settings import Secret, TelemetrySettings
from pipeline.telemetry.otlp.environment import Destination, Exports, exports_of

ENDPOINT = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://there:4318/"}
TRACES = Destination("http://there:4318/v1/traces")
METRICS = Destination("http://there:4318/v1/metrics")


def _exports(variables: dict[str, str], **settings: object) -> Exports:
    return exports_of(TelemetrySettings(**settings), variables)  # type: ignore[arg-type] # of any field


@pytest.mark.parametrize(
    ("variables", "settings"),
    [
        ({}, {}),
        (ENDPOINT, {"endpoint": "off"}),
        (ENDPOINT, {"spans": False, "metrics": False}),
        (ENDPOINT | {"OTEL_SDK_DISABLED": "True"}, {"endpoint": "http://here"}),
        (ENDPOINT | {"OTEL_TRACES_EXPORTER": "none", "OTEL_METRICS_EXPORTER": "console"}, {}),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "there:4318"}, {}),
    ],
)
def test_nothing_is_exported(variables: dict[str, str], settings: dict[str, object]) -> None:
    """Nobody has said where, or somebody has said no."""
    assert not _exports(variables, **settings)


@pytest.mark.parametrize(
    ("variables", "exports"),
    [
        (ENDPOINT, Exports(TRACES, METRICS)),
        (ENDPOINT | {"OTEL_METRICS_EXPORTER": "none"}, Exports(TRACES)),
        (ENDPOINT | {"OTEL_METRIC_EXPORT_INTERVAL": "5000"}, Exports(TRACES, METRICS, 5.0)),
        (ENDPOINT | {"OTEL_METRIC_EXPORT_INTERVAL": "-1"}, Exports(TRACES, METRICS)),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "https://t/as/it/is"}, Exports(Destination("https://t/as/it/is"))),
        (
            ENDPOINT
            | {
                "OTEL_EXPORTER_OTLP_HEADERS": "X-Key=a%20b, no pair,=none,bad=%0a",
                "OTEL_EXPORTER_OTLP_TIMEOUT": "1500",
                "OTEL_EXPORTER_OTLP_COMPRESSION": "gzip",
                "OTEL_EXPORTER_OTLP_CERTIFICATE": "ca.pem",
                "OTEL_METRICS_EXPORTER": "none",
            },
            Exports(Destination(TRACES.url, {"x-key": "a b"}, 1.5, True, "ca.pem")),  # noqa: FBT003 - gzip
        ),
        (
            ENDPOINT | {"OTEL_EXPORTER_OTLP_PROTOCOL": "grpc", "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL": "http/protobuf"},
            Exports(TRACES, ignored=("OTEL_EXPORTER_OTLP_PROTOCOL",)),
        ),
        (
            ENDPOINT | {"OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE": "delta"},
            Exports(TRACES, METRICS, ignored=("OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE",)),
        ),
    ],
)
def test_what_the_variables_say(variables: dict[str, str], exports: Exports) -> None:
    """As the specification has it; what cannot be done is named, for a warning."""
    assert _exports(variables) == exports


def test_our_settings_go_first() -> None:
    """With headers of their own: the variables' may be another receiver's keys."""
    variables = ENDPOINT | {"OTEL_EXPORTER_OTLP_HEADERS": "key=theirs"}
    exports = _exports(variables, endpoint="http://here", headers={"key": Secret("ours")}, metrics=False)

    assert exports == Exports(Destination("http://here/v1/traces", {"key": "ours"}))
    assert "ours" not in repr(exports)
