"""The files in `deploy/` promise only what is set in them: a grace that whoever stops the process waits for."""

from __future__ import annotations

import re
import socket
import ssl
import threading
from pathlib import Path

import pytest

from pipeline.commands.listening import bind
from pipeline.endpoints.application import OPEN
from pipeline.server.serving import MOST_LAST_WORDS
from pipeline.settings import SETTINGS, variable
from pipeline.telemetry.exposition import prometheus_name
from pipeline.telemetry.semantics import METRICS
from pipeline.telemetry.tally import Form
from stages.wire import json
from tests.conftest import ROOT

DEPLOY = ROOT / "deploy"

_GRACE = r"DRAGOMAN_TIMING_SHUTDOWN_GRACE\D+(\d+)"
_DOCKER_STOP = 10  # seconds that `docker stop` waits where nobody says otherwise (docker's own documentation)


def _number(name: str, pattern: str) -> int:
    (found,) = re.findall(pattern, (DEPLOY / name).read_text())
    return int(found)


@pytest.mark.parametrize(
    ("name", "waits", "before"),
    [
        ("dragoman.service", r"TimeoutStopSec=(\d+)", None),
        ("kubernetes.yaml", r"terminationGracePeriodSeconds: (\d+)", r"time\.sleep\((\d+)\)"),
        ("docker-compose.yaml", r"stop_grace_period: (\d+)s", None),
    ],
)
def test_nobody_is_killed_within_its_grace(name: str, waits: str, before: str | None) -> None:
    """The grace, what comes before it and the last words of streams fit into the time that is given."""
    spent = _number(name, before) if before else 0

    assert spent + _number(name, _GRACE) + MOST_LAST_WORDS <= _number(name, waits)


def test_a_container_without_more_words() -> None:
    """The image ends streams before `docker stop` kills it."""
    assert _number("Dockerfile", _GRACE) < _DOCKER_STOP


@pytest.mark.parametrize(
    "file", sorted(each for each in DEPLOY.rglob("*") if each.is_file()), ids=lambda file: file.name
)
def test_what_is_set_can_be_set(file: object) -> None:
    """Every variable of ours is one of a setting."""
    known = {variable(name) for name in SETTINGS}
    named = set(re.findall(r"\bDRAGOMAN_[A-Z_]+\b", (DEPLOY / str(file)).read_text()))

    assert named <= known


def test_what_the_image_copies_travels_to_the_builder() -> None:
    """And nothing else does."""
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", (DEPLOY / "Dockerfile").read_text(), re.MULTILINE)
    let_in = re.findall(r"^!(.+)$", (ROOT / ".dockerignore").read_text(), re.MULTILINE)

    assert sorted(" ".join(copied).split()) == sorted(let_in)
    assert all((ROOT / name).exists() for name in let_in)


def test_the_image_looks_where_it_listens(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its health check asks the port that `DRAGOMAN_PORT` names, past any proxy, and fails where nobody answers."""
    (said,) = re.findall(r"HEALTHCHECK .*\\\n\s+CMD (\[.*\])", (DEPLOY / "Dockerfile").read_text())
    *program, code = json.decode(said.encode())
    assert program == ["python", "-c"]
    with bind("127.0.0.1", 0) as listener:
        monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
        monkeypatch.setenv("DRAGOMAN_PORT", str(listener.getsockname()[1]))
        answering = threading.Thread(target=_answer_once, args=(listener,))
        answering.start()
        exec(code)  # noqa: S102 - the check's own words
        answering.join()
    with pytest.raises(OSError, match="refused"):
        exec(code)  # noqa: S102
    monkeypatch.setenv("DRAGOMAN_CERTFILE", "chain.pem")
    with bind("127.0.0.1", 0) as listener:
        monkeypatch.setenv("DRAGOMAN_PORT", str(listener.getsockname()[1]))
        answering = threading.Thread(target=_answer_once, args=(listener, b"\x16\x03"))
        answering.start()
        with pytest.raises(ssl.SSLError):
            exec(code)  # noqa: S102
        answering.join()


def _answer_once(listener: socket.socket, asked: bytes = b"GET /healthz ") -> None:
    connection, _ = listener.accept()
    with connection:
        assert connection.recv(1000).startswith(asked)
        connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")


def test_the_probes() -> None:
    """They ask for what is there, without a key; only work is a matter of readiness."""
    asked = re.findall(r"(\w+)Probe:\s+httpGet: \{path: (\S+),", (DEPLOY / "kubernetes.yaml").read_text())

    assert dict(asked) == {"startup": "/healthz", "readiness": "/readyz", "liveness": "/healthz"}
    assert {path for _, path in asked} <= OPEN


def test_systemd_hears_from_it() -> None:
    """The unit waits to be told, and knows how settings are read anew."""
    unit = (DEPLOY / "dragoman.service").read_text()

    assert "\nType=notify\n" in unit
    assert "\nExecReload=/bin/kill -HUP $MAINPID\n" in unit


_WATCHING = DEPLOY / "watching"
_WORD = re.compile(r"\b(?:dragoman|gen_ai|server|http)_\w+")


def _asked() -> dict[str, list[str]]:
    """What the dashboard and the alerts ask Prometheus, by the panel's or the alert's name."""
    panels = json.decode((_WATCHING / "dashboard.json").read_bytes())["panels"]
    asked = {panel["title"]: [target["expr"] for target in panel["targets"]] for panel in panels}
    alerts = re.findall(
        r"- alert: (\w+)\n\s+expr: (.*?)\n\s+(?:for|annotations):", (_WATCHING / "alerts.yml").read_text(), re.DOTALL
    )
    return asked | {name: [expression] for name, expression in alerts}


def test_what_is_watched_is_told() -> None:
    """Every metric and label that the dashboard and the alerts name is one of `/metrics`, in that metric's words."""
    families = {
        sample: metric for metric in METRICS.values() for sample in _samples(prometheus_name(metric), metric.form)
    }
    assert len(_asked()) > 15
    for name, expressions in _asked().items():
        for expression in expressions:
            words = set(_WORD.findall(expression))
            named = [families[word] for word in words & families.keys()]
            labels = {label.replace(".", "_") for metric in named for label in metric.labels}
            assert named or "up{" in expression, name
            assert words - families.keys() <= labels, name


def _samples(name: str, form: Form) -> list[str]:
    if form is Form.HISTOGRAM:
        return [f"{name}_bucket", f"{name}_count", f"{name}_sum"]
    return [f"{name}_total"] if form is Form.COUNTER else [name]


def test_what_compose_mounts_is_there() -> None:
    """And is mounted where the files say that it is."""
    mounted = dict(re.findall(r"- \./(watching/\S+?):(\S+):ro", (DEPLOY / "docker-compose.yaml").read_text()))

    assert {DEPLOY / name for name in mounted} == set(_WATCHING.iterdir())
    assert mounted["watching/alerts.yml"] in (_WATCHING / "prometheus.yml").read_text()
    assert str(Path(mounted["watching/dashboard.json"]).parent) in (_WATCHING / "grafana-dashboards.yaml").read_text()
