"""Files and batches on an upstream that keeps neither: the same calls, by Anthropic's own client, kept here."""

from __future__ import annotations

import base64
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import anthropic
import attrs
import pytest

from pipeline.emulator import EmulatorTransport
from pipeline.settings import Settings, StorageSettings
from pipeline.storage import database
from stages.wire import json
from tests.pipeline.endpoints.batches.test_batches import MIXED, PATH, TOOL, WANTED, asked, outcomes
from tests.pipeline.endpoints.files.test_files import ALICE, BOB, SHARED, UPSTREAM, by_hand, sdk
from tests.support.bodies import assert_anthropic, assert_result
from tests.support.multipart import CONTENT_TYPE, form

WAITS = "refused-upstream"
"""The request of `MIXED` that is tried again and again here."""


def local(folder: Path, settings: Settings | None = None, **storage: Any) -> Settings:
    """Settings of a server that keeps all in a folder."""
    base = settings or Settings(upstream=UPSTREAM, log_level="error")
    return attrs.evolve(base, storage=StorageSettings(where="local", folder=str(folder), **storage))


def over(client: anthropic.Anthropic, ident: str) -> Any:
    """Ask how a batch stands until it has ended."""
    while (batch := client.messages.batches.retrieve(ident)).processing_status != "ended":
        pass
    return batch


def contents(folder: Path) -> list[Path]:
    """The files that a store has not deleted."""
    return [path for path in folder.rglob("contents/*/*") if path.is_file()]


async def test_a_batch_of_everything(tmp_path: Path) -> None:
    """Answers of each kind and wrong requests, each with its own result; then nothing is left of it."""
    mixed = [one for one in MIXED if one["custom_id"] != WAITS]

    def talk(client: anthropic.Anthropic) -> None:
        api = client.messages.batches
        made = api.create(requests=mixed)
        assert made.request_counts.processing == len(mixed)
        done = over(client, made.id)
        found = outcomes(client, made.id)
        assert found.keys() == {one["custom_id"] for one in mixed}
        for name, result in found.items():
            told = result.message.stop_reason if result.type == "succeeded" else result.error.error.type
            assert (name, told) == (name, WANTED[name])
        assert found["tool"].message.content[-1].name == TOOL["name"]
        counts = done.request_counts
        assert counts.succeeded == sum(one.type == "succeeded" for one in found.values())
        assert counts.errored == sum(one.type == "errored" for one in found.values())
        assert (counts.processing, counts.canceled, counts.expired) == (0, 0, 0)
        assert [one.id for one in api.list()] == [made.id]
        assert api.delete(made.id).type == "message_batch_deleted"
        assert list(api.list()) == []
        with pytest.raises(anthropic.NotFoundError):
            api.results(made.id)

    async with sdk(local(tmp_path)) as use:
        await use(talk)
    assert not contents(tmp_path)


async def test_cancelled_and_what_was_not_run(tmp_path: Path) -> None:
    """What runs is finished, what has not begun is cancelled; nothing is deleted before the end."""

    def talk(client: anthropic.Anthropic) -> None:
        api = client.messages.batches
        made = api.create(requests=[asked(f"r{at}", "[[delay 0.3]][[text]]") for at in range(20)])
        with pytest.raises(anthropic.BadRequestError, match="cancel it first"):
            api.delete(made.id)
        assert api.cancel(made.id).processing_status in ("canceling", "ended")
        done = over(client, made.id)
        found = outcomes(client, made.id)
        assert {one.type for one in found.values()} <= {"succeeded", "canceled"}
        assert done.request_counts.canceled == sum(one.type == "canceled" for one in found.values()) > 0
        assert len(found) == 20

    async with sdk(local(tmp_path, concurrency=2)) as use:
        await use(talk)


async def test_files_go_into_what_names_them(tmp_path: Path) -> None:
    """In a message and in a batch: a picture, a PDF and a text, as the client would have sent them itself."""
    picture = base64.b64decode(
        "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="
    )
    transport = EmulatorTransport(delay=0)

    def talk(client: anthropic.Anthropic) -> None:
        files = client.files
        image = files.upload(file=("a.png", picture, "image/png"))
        paper = files.upload(file=("b.pdf", b"%PDF-1.4", "application/pdf"))
        text = files.upload(file=("c.txt", "früh".encode(), "text/plain"), expires_in_seconds=7_776_000)
        said: Any = [
            {"type": "image", "source": {"type": "file", "file_id": image.id}},
            {"type": "document", "source": {"type": "file", "file_id": paper.id}},
            {"type": "tool_result", "tool_use_id": "t", "content": []},
            {"type": "document", "source": {"type": "file", "file_id": text.id}},
        ]
        call: Any = {"type": "tool_use", "id": "t", "name": "t", "input": {"source": {"type": "file", "file_id": "x"}}}
        turns: Any = [{"role": "user", "content": "."}, {"role": "assistant", "content": [call]}]
        params: Any = {"model": "m", "max_tokens": 99, "messages": [*turns, {"role": "user", "content": said}]}
        client.messages.create(**params)
        params["messages"][-1]["content"] = said[2:]
        made = client.messages.batches.create(requests=[{"custom_id": "a", "params": params}])
        over(client, made.id)
        assert outcomes(client, made.id)["a"].type == "succeeded"
        files.delete(text.id)
        with pytest.raises(anthropic.NotFoundError, match=f"File not found: {text.id}"):
            client.messages.create(**params)

    async with sdk(local(tmp_path), transport) as use:
        await use(talk)
    first, second = (json.encode(request).decode() for request in transport.requests)
    assert base64.b64encode(picture).decode() in first
    assert base64.b64encode(b"%PDF-1.4").decode() in first
    assert all("früh" in one and '{\\"type\\":\\"file\\",\\"file_id\\":\\"x\\"}' in one for one in (first, second))


async def test_nobody_touches_anothers(tmp_path: Path) -> None:
    """Neither files nor batches, by whatever call; nor does a request name another's file."""
    settings = local(tmp_path, SHARED)

    def make(client: anthropic.Anthropic) -> tuple[str, str]:
        return client.files.upload(file=("a.txt", b"x")).id, client.messages.batches.create(requests=[asked("a")]).id

    async with sdk(settings) as use:
        file, batch = await use(make)

        def steal(client: anthropic.Anthropic) -> None:
            assert not [*client.files.list(), *client.messages.batches.list()]
            for call in (client.messages.batches.retrieve, client.messages.batches.results, client.files.delete):
                with pytest.raises(anthropic.NotFoundError):
                    call(batch if call != client.files.delete else file)
            said: Any = [{"type": "document", "source": {"type": "file", "file_id": file}}]
            with pytest.raises(anthropic.NotFoundError, match="File not found"):
                client.messages.create(model="m", max_tokens=9, messages=[{"role": "user", "content": said}])

        await use(steal, BOB)
        assert await use(lambda client: [one.id for one in client.files.list()], ALICE) == [file]


async def test_answers_are_as_anthropic_has_them(tmp_path: Path) -> None:
    """By the types of its own client; too much space is refused in its words."""
    async with by_hand(local(tmp_path)) as send:
        made = (await send("POST", PATH, json.encode({"requests": [asked("a"), asked("b", stream=True)]}))).json()
        assert_anthropic(made)
        while not (told := (await send("GET", f"{PATH}/{made['id']}")).json())["results_url"]:
            pass
        assert_anthropic(told)
        reply = await send("GET", f"{PATH}/{made['id']}/results")
        lines = [json.decode(line) for line in reply.body.splitlines()]
        assert [line["custom_id"] for line in lines] == ["a", "b"]
        for line in lines:
            assert_result(line)


def tables(folder: Path) -> sqlite3.Connection:
    """Open a store's tables as another process would."""
    (file,) = folder.rglob(database.FILE)
    return sqlite3.connect(file, isolation_level=None)


async def test_a_database_that_another_process_holds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever writes is told that it passes, in Anthropic's envelope, and nothing is left of it; reads go on."""
    monkeypatch.setattr(database, "WRITE_PATIENCE", 0.0)
    batch, file = json.encode({"requests": [asked("a")]}), form(("file", b"x", "a.txt", ""))
    async with by_hand(local(tmp_path)) as send:
        assert (await send("GET", "/v1/files")).status == 200
        with closing(tables(tmp_path)) as other:
            other.execute("BEGIN IMMEDIATE")
            calls = ((PATH, batch, ""), ("/v1/files", file, CONTENT_TYPE))
            refused = [await send("POST", path, body, content_type=kind) for path, body, kind in calls]
            assert [(told.status, told.json()["error"]["type"]) for told in refused] == [(529, "overloaded_error")] * 2
            assert (await send("GET", PATH)).json()["data"] == []
            other.execute("ROLLBACK")
        assert (await send("POST", PATH, batch)).status == 200
