"""The files in `deploy/` promise only what is set in them: a grace that whoever stops the process waits for."""

from __future__ import annotations

import re

import pytest

from pipeline.endpoints.application import OPEN
from pipeline.server.serving import MOST_LAST_WORDS
from pipeline.settings import SETTINGS, variable
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


@pytest.mark.parametrize("file", sorted(DEPLOY.iterdir()), ids=lambda file: file.name)
def test_what_is_set_can_be_set(file: object) -> None:
    """Every variable of ours is one of a setting."""
    known = {variable(name) for name in SETTINGS}
    named = set(re.findall(r"\bDRAGOMAN_[A-Z_]+\b", (DEPLOY / str(file)).read_text()))

    assert named <= known


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
