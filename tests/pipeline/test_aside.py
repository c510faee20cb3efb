"""What runs where by its size, and that nothing of it stays behind."""

from __future__ import annotations

import gc
import io
import os
import pickle
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import product
from typing import Any

import attrs
import pytest
import trio
import trio.testing
from structlog.testing import CapturingLogger

from pipeline.aside import THOROUGH, THREADED, Aside, answer_all
from pipeline.emulator import EmulatorTransport
from pipeline.endpoints.application import application
from pipeline.service import open_service
from pipeline.settings import Settings, UpstreamSettings
from pipeline.telemetry.logs import ElsewhereError, fault_site
from stages.canonical.failure import Failure, Kind
from stages.wire import json
from tests.pipeline import work
from tests.pipeline.work import broken, deep, ended, endless, where
from tests.support.client import MemoryClient
from tests.support.running import context_of
from tests.support.samples import request
from tests.support.upstream import Script, ScriptedUpstream
from tests.support.upstream_events import CREATED, completed, text


@asynccontextmanager
async def opened(inline: int = 10, threaded: int = 20) -> AsyncIterator[Aside]:
    """Open a place aside, and close it."""
    aside = Aside(inline, threaded)
    try:
        yield aside
    finally:
        await aside.close()


HERE = os.getpid(), threading.get_ident()


async def test_small_here_larger_in_a_thread_largest_in_a_process() -> None:
    """All bring the same; the process stays for the next."""
    async with opened() as aside:
        small, larger, largest, again = [await aside.run(size, where, b"x") for size in (10, 20, 21, 10_000)]

    assert small[:2] == HERE
    assert larger[0] == HERE[0]
    assert larger[1] != HERE[1]
    assert largest[0] != HERE[0]
    assert again == largest
    assert {found[2] for found in (small, larger, largest)} == {b"x"}


async def test_what_goes_wrong_there_is_told_here() -> None:
    """By place, not by message; nesting by its own exception; and the process goes on."""
    async with opened() as aside:
        with pytest.raises(ElsewhereError) as failed:
            await aside.run(30, broken, "a secret")
        with pytest.raises(RecursionError):
            await aside.run(30, deep, 100_000)
        process = aside._process
        assert (await aside.run(30, where, 1))[2] == 1
        assert aside._process is process

    assert fault_site(failed.value).startswith(f"ValueError in {work.__name__}.broken, line ")
    assert "secret" not in str(failed.value)


async def test_a_process_that_ends_is_replaced() -> None:
    """Its request fails, the next one gets another."""
    async with opened() as aside:
        with pytest.raises(ElsewhereError, match="has ended"):
            await aside.run(30, ended)
        assert (await aside.run(30, where, 2))[2] == 2


async def test_a_cancelled_request_ends_its_process() -> None:
    """Whatever it does there; others that wait for their turn get a new one."""
    async with opened() as aside:
        await aside.run(30, where, 0)
        process = aside._process
        assert process is not None
        async with trio.open_nursery() as nursery:
            nursery.start_soon(aside.run, 30, endless)
            await trio.testing.wait_all_tasks_blocked()
            nursery.cancel_scope.cancel()
        assert process.returncode is not None
        assert (await aside.run(30, where, 3))[2] == 3


async def test_nothing_is_started_that_is_not_needed() -> None:
    """Closing what was never opened is nothing, twice as well."""
    async with opened() as aside:
        await aside.run(20, where, 1)
        assert aside._process is None
        await aside.close()


BODY = request({"role": "user", "content": "x" * 200}, stop_sequences=["a"], top_k=5)
WRONG = request(temperature="x")
NEW_EACH_TIME = {"id": "", "request_id": ""}
DEEP = json.encode(request(a="nested")).replace(b'"nested"', b'{"a":' * 900 + b"1" + b"}" * 900)


PATHS = ("/v1/messages", "/v1/messages/count_tokens", "/v1/messages/explain")
BODIES = {"good": json.encode(BODY), "wrong": json.encode(WRONG), "deep": DEEP}


async def _told(aside: Aside, path: str, body: bytes) -> tuple[Any, ...]:
    """What a client is told: status, headers and body, and what the upstream was asked."""
    log = CapturingLogger()
    upstream = ScriptedUpstream(*[Script([CREATED, text("fine"), completed()])] * 2)
    context = attrs.evolve(context_of(upstream, log=log), aside=aside)
    reply = await MemoryClient(application(context)).request("POST", path, body)
    assert [call for call in log.calls if call.args == ("fault",)] == []
    return reply.status, reply.headers.get("dragoman-mapping"), reply.json() | NEW_EACH_TIME, upstream.requests


async def test_a_client_does_not_notice_where() -> None:
    """Status, headers and bodies are the same, on the spot, in a thread, and in a process."""
    async with opened(2**30, 2**30) as here, opened(0, 2**30) as beside, opened(0, 0) as elsewhere:
        for path, (name, body) in product(PATHS, BODIES.items()):
            told = [await _told(aside, path, body) for aside in (here, beside, elsewhere)]
            assert told[0] == told[1] == told[2], (path, name)


async def test_a_whole_service_serves_large_requests() -> None:
    """As it is opened by its settings; the process ends with it."""
    configured = Settings(upstream=UpstreamSettings(url="emulator"), models={"claude-opus": "gpt-6.2-sol"})
    log = CapturingLogger()
    async with open_service(configured, transport=EmulatorTransport(delay=0), log=log) as context:
        body = json.encode(request({"role": "user", "content": "x" * (THREADED + 1)}))
        reply = await MemoryClient(application(context)).request("POST", "/v1/messages", body)
        process = context.aside._process

    assert reply.status == 200, log.calls
    assert process is not None
    assert process.returncode is not None


def test_what_crosses_can_be_pickled() -> None:
    """A failure comes back as it was."""
    failure = Failure(Kind.INVALID_REQUEST, "No.", error_code="x")

    assert pickle.loads(pickle.dumps(failure)) == failure  # noqa: S301 - our own


def test_what_is_remembered_is_seldom_looked_through_for_garbage() -> None:
    """To look at all objects takes longer than to count a long prompt, so that is done behind few of many questions."""
    asked = pickle.dumps((where, (b"x",), {}))
    questions = io.BytesIO((len(asked).to_bytes(8, "big") + asked) * (THOROUGH + 1))
    looks: list[int] = []

    def heard(phase: str, info: dict[str, int]) -> None:
        if phase == "start":
            looks.append(info["generation"])

    gc.disable()  # as that process does
    gc.callbacks.append(heard)
    try:
        answer_all(questions, io.BytesIO())
    finally:
        gc.callbacks.remove(heard)
        gc.enable()

    assert looks == [*[0] * (THOROUGH - 1), 2, 0]
