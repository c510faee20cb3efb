"""The runner: each request once to its end, whatever ends the process in between."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import attrs
import trio

from pipeline.storage.batch_rows import LIFETIME
from pipeline.storage.local import LocalStore
from pipeline.storage.runner import LineAnswer, Runner
from stages.canonical.failure import Failure
from tests.support.waiting import TIMEOUT, until

QUICK = 0.005
"""Seconds between two looks, so that tests need not wait."""


@attrs.define
class Worker:
    """Answers requests: those that are not held at once, the others when they are let go."""

    held: set[str] = attrs.field(factory=set)
    begun: list[str] = attrs.field(factory=list)
    done: Counter[str] = attrs.field(factory=Counter)
    let_go: trio.Event = attrs.field(factory=trio.Event)

    async def __call__(self, metadata: Mapping[str, str], line: bytes) -> LineAnswer:
        """Answer a request."""
        name = line.decode().strip()
        self.begun.append(name)
        if name in self.held:
            await self.let_go.wait()
        self.done[name] += 1
        return LineAnswer(f"{metadata['told']} {name}\n".encode(), succeeded=not name.startswith("bad"), cost=0.5)


@attrs.define
class Clock:
    """A clock that stands still."""

    now: int = 1_000_000

    def __call__(self) -> int:
        """Tell the time."""
        return self.now


async def made(store: LocalStore, *names: str) -> str:
    """Make a batch; return its id."""
    data = "".join(f"{name}\n" for name in names).encode()
    file = await store.upload({"purpose": "batch"}, "batch.jsonl", io.BytesIO(data), len(data))
    assert not isinstance(file, Failure)
    batch = await store.create_batch({"input_file_id": file["id"], "metadata": {"told": "t"}})
    assert not isinstance(batch, Failure)
    return str(batch["id"])


async def stands(store: LocalStore, ident: str) -> dict[str, Any]:
    """Say how a batch stands."""
    told = await store.batch(ident)
    assert not isinstance(told, Failure)
    return told


async def ended(store: LocalStore, ident: str) -> dict[str, Any]:
    """Wait for the end of a batch."""
    with trio.fail_after(TIMEOUT):
        while (told := await stands(store, ident))["status"] in ("in_progress", "cancelling"):
            pass
    return told


async def output(store: LocalStore, ident: str) -> list[str]:
    """The lines that a batch has brought."""
    content = await store.content(f"output-{ident}")
    assert not isinstance(content, Failure)
    return b"".join([piece async for piece in content if isinstance(piece, bytes)]).decode().splitlines()


async def test_what_was_done_is_not_done_again(tmp_path: Path) -> None:
    """A runner that ends in the middle leaves what had come of it; the next one does the rest, once."""
    store, names = LocalStore(tmp_path, 10**6), [f"r{at}" for at in range(30)]
    ident, first, second = await made(store, *names), Worker(held={"r7", "r20"}), Worker()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(Runner(store, first, 3, pause=QUICK).run)
        await until(lambda: len(first.done) == 28)
        nursery.cancel_scope.cancel()
    assert (await stands(store, ident))["status"] == "in_progress"
    over = list[Mapping[str, Any]]()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(Runner(store, second, 3, over.append, QUICK).run)
        told = await ended(store, ident)
        nursery.cancel_scope.cancel()

    assert second.done.keys() == {"r7", "r20"}
    assert max((first.done + second.done).values()) == 1
    assert await output(store, ident) == [f"t {name}" for name in names]
    assert (told["status"], told["request_counts"]["completed"], told["request_counts"]["unrun"]) == (
        "completed",
        30,
        0,
    )
    assert [(one["id"], one["cost"]) for one in over] == [(ident, 15.0)]
    await store.close()


async def test_cancelled_and_expired(tmp_path: Path) -> None:
    """What runs is finished and counts; nothing else is begun, and the batch ends when nothing runs any more."""
    clock = Clock()
    store, worker = LocalStore(tmp_path, 10**6, clock), Worker(held={"bad", "old"})
    cancelled, expired = await made(store, "bad", *"abc"), await made(store, "old", *"def")
    async with trio.open_nursery() as nursery:
        nursery.start_soon(Runner(store, worker, 1, pause=QUICK).run)
        await until(lambda: worker.begun == ["bad"])
        assert (await store.cancel_batch(cancelled))["status"] == "cancelling"  # type: ignore[index] # it is no fault
        clock.now += LIFETIME
        worker.let_go.set()
        one, other = await ended(store, cancelled), await ended(store, expired)
        nursery.cancel_scope.cancel()

    assert worker.begun == ["bad"]
    assert one["request_counts"] == {"total": 4, "completed": 0, "failed": 1, "unrun": 3}
    assert (one["status"], other["status"]) == ("cancelled", "expired")
    assert other["request_counts"]["unrun"] == 4
    assert await output(store, cancelled) == ["t bad"]
    await store.close()


async def test_one_process_runs_them(tmp_path: Path) -> None:
    """Of two that share a store, one runs all; the other takes over when it ends. A small batch need not wait."""
    stores, workers = [LocalStore(tmp_path, 10**6) for _ in range(2)], [Worker(held={"b0"}), Worker()]
    large = await made(stores[0], *(f"b{at}" for at in range(100)))
    async with trio.open_nursery() as nursery:
        scopes = [trio.CancelScope(), trio.CancelScope()]

        async def run(at: int) -> None:
            with scopes[at]:
                await Runner(stores[at], workers[at], 1, pause=QUICK).run()

        nursery.start_soon(run, 0)
        await until(lambda: workers[0].begun == ["b0"])
        nursery.start_soon(run, 1)
        small = await made(stores[1], "s0")
        scopes[0].cancel()
        await ended(stores[1], small)
        order = workers[1].begun
        await ended(stores[1], large)
        nursery.cancel_scope.cancel()

    assert (workers[0].begun, not workers[0].done) == (["b0"], True)
    assert sorted(order) == sorted(["s0", *(f"b{at}" for at in range(100))])
    assert order.index("s0") < 20
    for store in stores:
        await store.close()


async def test_a_process_that_ends_begins_nothing_new(tmp_path: Path) -> None:
    """What runs may end; then another process may have the rest, although the first one still serves."""
    store, names = LocalStore(tmp_path, 10**6), [f"r{at}" for at in range(9)]
    first, second, ending = Worker(held={"r0"}), Worker(), trio.Event()
    ident = await made(store, *names)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(Runner(store, first, 1, pause=QUICK, ending=ending.is_set).run)
        await until(lambda: first.begun == ["r0"])
        nursery.start_soon(Runner(store, second, 1, pause=QUICK).run)
        ending.set()
        first.let_go.set()
        await ended(store, ident)
        nursery.cancel_scope.cancel()

    assert (first.begun, second.begun) == (["r0"], names[1:])
    await store.close()


async def test_input_that_is_gone(tmp_path: Path) -> None:
    """Somebody has deleted the folder's contents: the batch ends all the same, and says that nothing came of it."""
    store, worker = LocalStore(tmp_path, 10**6), Worker()
    ident = await made(store, "a", "b")
    path = await store.path((await stands(store, ident))["input_file_id"])
    assert isinstance(path, Path)
    path.unlink()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(Runner(store, worker, 2, pause=QUICK).run)
        told = await ended(store, ident)
        nursery.cancel_scope.cancel()

    assert (told["request_counts"]["failed"], worker.begun) == (2, [])
    await store.close()
