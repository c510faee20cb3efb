"""A batch of several parts is made whole or not at all, whatever answer is lost, and whoever is killed meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import attrs
import httpx
import pytest
import structlog.testing

from pipeline.emulator import EmulatorTransport
from pipeline.endpoints.application import application
from pipeline.endpoints.batches.orphans import ABANDONED_AFTER
from pipeline.endpoints.batches.upstream_batch import BatchNote
from pipeline.service import open_service
from stages.wire import json
from tests.pipeline.endpoints.batches.test_batches import PATH, asked
from tests.pipeline.endpoints.files.test_files import ALONE, by_hand
from tests.support.client import MemoryClient

TWO = json.encode({"requests": [asked("a"), asked("b", model="claude-haiku-5-5")]})
"""A batch of two models, and so of two parts."""


class Losing(EmulatorTransport):
    """Does what it is asked, and loses the answers of some calls; from then on nothing comes through, if it breaks.

    Args:
        lost: which of all calls of a method and path lose their answers, by their numbers.
        breaks: whether it is away after the first of them.
    """

    def __init__(self, method: str, path: str, *lost: int, breaks: bool = False) -> None:
        super().__init__(delay=0)
        self.call, self.lost, self.breaks = (method, path), lost, breaks
        self.count, self.away = 0, False

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Answer, if this answer is not lost."""
        if self.away:
            raise httpx.ConnectError("away")
        answer = await super().handle_async_request(request)
        if (request.method, request.url.path.rpartition("/")[2]) == self.call:
            self.count += 1
            if self.count in self.lost:
                self.away = self.breaks
                raise httpx.ReadError("lost")
        return answer

    def batches(self) -> list[dict[str, Any]]:
        """All batches that were made."""
        return list(self.emulator.account.batches.page({})["data"])  # type: ignore[index] # it is no fault

    def files(self) -> list[dict[str, Any]]:
        """All files that are there."""
        return list(self.emulator.account.files.page({})["data"])  # type: ignore[index] # it is no fault


@pytest.mark.parametrize("lost", [(1,), (2,), (1, 2)])
async def test_what_was_made_although_its_answer_was_lost(lost: tuple[int, ...]) -> None:
    """It is found again by its file, so that no part runs twice."""
    transport = Losing("POST", "batches", *lost)
    async with by_hand(transport=transport) as send:
        reply = await send("POST", PATH, TWO)
        listed = (await send("GET", PATH)).json()["data"]

    assert reply.status == 200
    assert [one["id"] for one in listed] == [reply.json()["id"]]
    assert len(transport.batches()) == 2


@pytest.mark.parametrize("lost", [1, 2, 3])
async def test_what_was_uploaded_although_its_answer_was_lost(lost: int) -> None:
    """Nothing of it is left, and nothing was begun."""
    transport = Losing("POST", "files", lost)
    async with by_hand(transport=transport) as send:
        reply = await send("POST", PATH, TWO)

    assert reply.status >= 500
    assert (transport.files(), transport.batches()) == ([], [])


@attrs.define
class Clock:
    """A clock that is put forward by hand."""

    now: float = 1e9

    def __call__(self) -> float:
        """Tell the time."""
        return self.now


async def left_behind(transport: Losing, log: Any) -> dict[str, Any]:
    """Begin a batch while the upstream goes away after its first part; give what the client is told."""
    async with open_service(ALONE, transport=transport, log=log) as context:
        reply = await MemoryClient(application(context)).request("POST", PATH, TWO)
    return dict(reply.json()["error"])


@pytest.mark.parametrize("look", [lambda send: send("GET", PATH), lambda send: send("POST", PATH, TWO)])
async def test_what_could_not_be_taken_back_is_ended_later(look: Callable[[Any], Any]) -> None:
    """The client and the log hear of it; whoever lists or makes a batch after a while ends it, and no other."""
    transport, log = Losing("POST", "batches", 1, breaks=True), structlog.testing.CapturingLogger()
    transport.emulator.account.batches.clock = Clock()  # long ago
    told = await left_behind(transport, log)
    transport.away = False

    assert "Not all that was begun of the batch could be taken back." in told["message"]
    assert [call.kwargs["left"] for call in log.calls if call.kwargs.get("outcome") == "left_behind"] == [4]
    assert [one["status"] for one in transport.batches()] == ["validating"]
    async with by_hand(transport=transport) as send:
        assert (await look(send)).status == 200
        assert (await send("GET", PATH)).status == 200
    orphan = transport.batches()[-1]
    assert orphan["status"] == "cancelling"
    assert not [file for file in transport.files() if file["filename"].startswith(orphan["metadata"]["group"])]
    assert all(one["status"] != "cancelling" for one in transport.batches()[:-1])


async def test_parts_that_may_still_be_completed_are_left_alone() -> None:
    """Another process may just be about to make the one that stands for the whole."""
    transport = Losing("POST", "batches", 1, breaks=True)
    await left_behind(transport, structlog.testing.CapturingLogger())
    transport.away = False
    async with by_hand(transport=transport) as send:
        assert (await send("GET", PATH)).json()["data"] == []

    assert ABANDONED_AFTER > 60
    (part,) = transport.batches()
    assert part["status"] == "validating"
    note = BatchNote.of(part)
    assert note is not None
    assert not note.total


class Refusing(EmulatorTransport):
    """Answers every creation of a batch with one status, and makes none."""

    def __init__(self, status: int) -> None:
        super().__init__(delay=0)
        self.status = status

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Answer, but for creations."""
        if (request.method, request.url.path.rpartition("/")[2]) == ("POST", "batches"):
            return httpx.Response(self.status, json={"error": {"message": "Not now."}})
        return await super().handle_async_request(request)


@pytest.mark.parametrize(
    ("transport", "hint"),
    [
        (Losing("POST", "batches", 1, breaks=True), "false"),  # it runs, and nobody could look for it
        (Refusing(500), "false"),  # it may be made in a moment
        (Refusing(429), "true"),  # it was not made
        (Losing("POST", "files", 1), None),  # nothing was asked for yet
    ],
)
async def test_what_may_run_already_is_not_asked_for_again(transport: EmulatorTransport, hint: str | None) -> None:
    """A client would retry by itself, and pay twice."""
    async with by_hand(transport=transport) as send:
        reply = await send("POST", PATH, TWO)

    assert reply.status >= 429
    assert reply.headers.get("x-should-retry") == hint


async def test_results_are_kept_for_as_long_as_they_can_be_read() -> None:
    """Thirty days by our own wish, whatever the account's own is."""
    transport = EmulatorTransport(delay=0)
    account = transport.emulator.account
    account.files.lasting["batch_output"] = None
    async with by_hand(transport=transport) as send:
        ident = (await send("POST", PATH, json.encode({"requests": [asked("a")]}))).json()["id"]
        while (await send("GET", f"{PATH}/{ident}")).json()["processing_status"] != "ended":
            pass

    (kept,) = account.files.page({"purpose": "batch_output"})["data"]  # type: ignore[index] # it is no fault
    assert kept["expires_at"] - kept["created_at"] == 2_592_000
