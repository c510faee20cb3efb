"""Who answers at an address."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING

import pytest

from pipeline.commands.listening import bind, url_of
from pipeline.commands.probe import Answerer, look, who_answers
from pipeline.settings import Settings
from pipeline.settings.ownership import own_secret
from tests.support.waiting import TIMEOUT

if TYPE_CHECKING:
    import socket
    from pathlib import Path


def _answer_once(listener: socket.socket, answer: bytes) -> threading.Thread:
    def serve() -> None:
        connection, _ = listener.accept()
        with connection:
            assert connection.recv(65536).startswith(b"GET /healthz?challenge=")
            connection.sendall(answer)

    thread = threading.Thread(target=serve)
    thread.start()
    return thread


def _http(body: bytes) -> bytes:
    return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (_http(b'{"service":"dragoman","status":"ok"}'), Answerer.DRAGOMAN),
        (_http(b'{"service":"another"}'), Answerer.SOMEBODY_ELSE),
        (_http(b"<html>"), Answerer.SOMEBODY_ELSE),
        (_http(b"[]"), Answerer.SOMEBODY_ELSE),
        (b"SSH-2.0-OpenSSH\r\n", Answerer.SOMEBODY_ELSE),
        (b"", Answerer.SOMEBODY_ELSE),
    ],
)
def test_answers(answer: bytes, expected: Answerer) -> None:
    """Only the right answer to `GET /healthz` makes a dragoman, whatever else may come."""
    with bind("127.0.0.1", 0) as listener:
        thread = _answer_once(listener, answer)
        found = who_answers(url_of(listener), TIMEOUT)
        thread.join()

    assert found is expected


def test_silence_is_somebody_else() -> None:
    """Whoever accepts and says nothing holds the port."""
    with bind("127.0.0.1", 0) as listener:
        assert who_answers(url_of(listener), timeout=0.1) is Answerer.SOMEBODY_ELSE


def test_nobody() -> None:
    """A port that was free a moment ago."""
    with bind("127.0.0.1", 0) as listener:
        url = url_of(listener)

    assert who_answers(url) is Answerer.NOBODY


def test_a_word_is_no_proof(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever says that he is ours, without the secret, is not."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    own_secret({"XDG_STATE_HOME": str(tmp_path)}, make=True)
    answer = {"service": "dragoman", "upstream": "api.openai.com", "user_proof": "0" * 64, "settings_proof": "0" * 64}
    with bind("127.0.0.1", 0) as listener:
        thread = _answer_once(listener, _http(json.dumps(answer).encode()))
        found = look(url_of(listener), TIMEOUT, Settings())
        thread.join()

    assert (found.answerer, found.own, found.same) == (Answerer.DRAGOMAN, False, False)
