"""Behind a real nginx with the shipped configuration: streams pass as they come, and a server may go."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Any

import attrs
import httpx
import pytest
import trio

from pipeline.settings import Settings, UpstreamSettings
from tests.support.certificates import Certified
from tests.support.nginx import nginx
from tests.support.process import serving_process
from tests.support.running import REQUEST
from tests.support.serving import serving
from tests.support.upstream import Script, ScriptedUpstream
from tests.support.upstream_events import CREATED, completed, text
from tests.support.waiting import TIMEOUT, until

_SETTINGS = Settings(upstream=UpstreamSettings(url="http://upstream/v1"), log_level="error")


def _client(port: int, issued: Certified) -> httpx.AsyncClient:
    return httpx.AsyncClient(
        base_url=f"https://localhost:{port}", verify=issued.client_context(), trust_env=False, timeout=TIMEOUT
    )


async def _comes_up(port: int) -> None:
    with trio.fail_after(TIMEOUT):
        while True:
            try:
                await (await trio.open_tcp_stream("127.0.0.1", port)).aclose()
            except OSError:
                await trio.sleep(0.02)
            else:
                return


async def test_an_event_is_passed_on_before_the_next_is_made(tmp_path: Path) -> None:
    """Nothing gathers events: the upstream goes on only when the client has had what it said so far."""
    go = trio.Event()
    upstream = ScriptedUpstream(Script([CREATED, text("first"), go, text(" second"), completed()]))
    async with serving(_SETTINGS, upstream) as url:
        with nginx(tmp_path, [httpx.URL(url).port or 0]) as (port, issued):
            await _comes_up(port)
            heard = b""
            async with _client(port, issued) as client, client.stream("POST", "/v1/messages", json=REQUEST) as answer:
                assert answer.status_code == 200
                async for data in answer.aiter_raw():
                    heard += data
                    if b"first" in heard and not go.is_set():
                        assert b"second" not in heard
                        go.set()

    assert b"second" in heard
    assert b"event: message_stop" in heard


@attrs.define
class _Seen:
    """What clients saw: how many streams began, how each ended, and the status of each new request."""

    begun: int = 0
    streams: list[str] = attrs.field(factory=list)
    statuses: list[int] = attrs.field(factory=list)


async def _stream(client: httpx.AsyncClient, seen: _Seen) -> None:
    request = REQUEST | {"messages": [{"role": "user", "content": "[[slow 0.1]]"}]}
    heard = b""
    try:
        async with client.stream("POST", "/v1/messages", json=request) as answer:
            async for data in answer.aiter_raw():
                seen.begun += not heard
                heard += data
    except httpx.TransportError:
        seen.streams.append("cut")
    else:
        seen.streams.append("whole" if b"message_stop" in heard else "cut")


@pytest.mark.parametrize(("number", "cut"), [(signal.SIGTERM, 0), (signal.SIGKILL, 3)])
async def test_one_of_two_servers_goes(number: signal.Signals, cut: int, tmp_path: Path) -> None:
    """Told to end, it takes nothing with it; killed, its own streams alone. New requests find the other."""
    settings: dict[str, Any] = {"draining": "close", "timing_shutdown_grace": TIMEOUT}
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    seen = _Seen()
    with (
        serving_process(tmp_path / "a", **settings) as first,
        serving_process(tmp_path / "b", **settings) as second,
        nginx(tmp_path, [first.port, second.port]) as (port, issued),
    ):
        for each in (port, first.port, second.port):
            await _comes_up(each)
        async with _client(port, issued) as client, trio.open_nursery() as nursery:
            for _ in range(6):
                nursery.start_soon(_stream, client, seen)
            await until(lambda: seen.begun == 6)
            first.process.send_signal(number)
            for _ in range(8):
                seen.statuses.append((await client.post("/v1/messages", json=REQUEST | {"stream": False})).status_code)

    assert seen.statuses == [200] * 8
    assert seen.streams.count("cut") == cut
    assert seen.streams.count("whole") == 6 - cut
