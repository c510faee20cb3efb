"""The processes that the bench starts."""

from __future__ import annotations

import os
import resource
import socket
from pathlib import Path

import httpx
import pytest

from pipeline.bench import children
from pipeline.bench.workloads import BenchError
from tests.support.process import PATIENCE


def test_a_dragoman_in_front_of_the_upstream(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """It answers from the bench's upstream, whatever the person has set, and both end with their contexts."""
    monkeypatch.setenv("DRAGOMAN_CLIENT_KEYS", "not-yours")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "dragoman.toml").write_text("port = 'none'")
    body = {"model": "claude-x", "max_tokens": 9, "messages": [{"role": "user", "content": "hello"}]}
    with children.upstream() as (upstream_url, upstream_pid), children.dragoman(upstream_url) as (url, pid):
        answer = httpx.post(url + "/v1/messages", json=body, trust_env=False, timeout=PATIENCE)

    assert answer.json()["content"][0]["text"].startswith("lorem")
    for ended in (pid, upstream_pid):
        with pytest.raises(ProcessLookupError):
            os.kill(ended, 0)


def test_a_port_in_use() -> None:
    """A sentence, not a traceback."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        with pytest.raises(BenchError, match=f"port {port} is in use"), children.upstream(port):
            pass


def test_the_last_words_of_a_child_that_died() -> None:
    """They are part of the complaint, for they say why nothing answers."""

    def complain(url: str, pid: int) -> None:
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
        raise BenchError(f"{url} does not answer")

    with (
        pytest.raises(BenchError, match=r"it has ended(.|\n)*these settings are wrong"),
        children.dragoman("nonsense") as (url, pid),
    ):
        complain(url, pid)


def test_the_limit_of_open_files_is_raised_as_far_as_allowed() -> None:
    """Never lowered, never beyond what the system allows."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    lower = min(256, soft)
    resource.setrlimit(resource.RLIMIT_NOFILE, (lower, hard))
    try:
        assert children.raise_file_limit(lower - 50) == lower
        assert children.raise_file_limit(lower + 50) == lower + 50
        if hard != resource.RLIM_INFINITY:
            assert children.raise_file_limit(hard + 1) == hard
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
