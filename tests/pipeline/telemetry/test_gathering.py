"""Workers and their supervisor, over streams in memory."""

from __future__ import annotations

import pytest
import structlog.testing
import trio
import trio.testing

from pipeline.telemetry import names, semantics
from pipeline.telemetry.counted import Counted, CountQuestion
from pipeline.telemetry.gathering import ANSWER_WITHIN, EVERY, SILENT_AFTER, Gathering, Reporting, lines
from pipeline.telemetry.request_metrics import tally_of
from pipeline.telemetry.tally import UNLISTED, Snapshot, Tally
from stages.wire import json

COST, RUNNING = semantics.COST, semantics.RUNNING
LINE = {"session": "s", "asked_model": "a", "upstream_model": "u", "output_tokens": 5, "cost_usd": 0.5}
SPENT = (UNLISTED, UNLISTED)


class Worker:
    """A worker as far as counting goes."""

    def __init__(self) -> None:
        self.tally: Tally = tally_of()
        self.here, self.there = trio.testing.memory_stream_pair()
        self.reporting = Reporting(self.here)
        self._scope = trio.CancelScope()

    async def live(self) -> None:
        """Report until it retires."""
        with self._scope:
            await self.reporting.run(self.tally.snapshot)
        await self.here.aclose()

    def retire(self) -> None:
        """End by itself."""
        self._scope.cancel()


class Port:
    """A supervisor with its workers, which answers each question with the numbers of all."""

    def __init__(self, nursery: trio.Nursery) -> None:
        self.nursery = nursery
        self.log = structlog.testing.CapturingLogger()
        self.gathering = Gathering(self._answer, lambda: self.log)

    async def _answer(self, counted: Counted, question: CountQuestion) -> str:
        if "wrong" in question:
            raise KeyError
        return json.encode([len(question), len(counted.usage.of("", "s"))]).decode()

    def start(self) -> Worker:
        """Start a worker that reports."""
        worker = Worker()
        self.nursery.start_soon(self.gathering.hear, worker.there)
        self.nursery.start_soon(worker.live)
        return worker

    def numbers(self, *of: str) -> Snapshot:
        """The numbers of all, by these names."""
        numbers = self.gathering.numbers()
        return {name: numbers.get(name, {}) for name in of}


async def _reports(clock: trio.testing.MockClock, count: float) -> None:
    """Wait for so many reports of each worker."""
    await trio.sleep_until(clock.current_time() + count * EVERY)


@pytest.fixture
async def port(nursery: trio.Nursery) -> Port:
    """One without workers yet."""
    return Port(nursery)


async def test_what_all_have_counted(autojump_clock: trio.testing.MockClock, port: Port) -> None:
    """Counters and sessions are added up, and of a moment the latest counts."""
    one, two = port.start(), port.start()
    for worker, amount, when in ((one, 1.0, 300.0), (two, 2.0, 200.0)):
        worker.tally.add(COST, ("m", "c"), amount)
        worker.tally.put(semantics.LAST_ANSWER, ("h",), when)
        worker.tally.observe(semantics.FIRST_CONTENT, ("m",), amount)
        worker.reporting.usage.add(LINE)
    await _reports(autojump_clock, 2)
    two.tally.add(COST, ("m", "c"), 4.0)
    await _reports(autojump_clock, 2)

    assert port.numbers(COST, semantics.LAST_ANSWER) == {
        COST: {SPENT: 7.0},
        semantics.LAST_ANSWER: {(UNLISTED,): 300.0},
    }
    histogram = port.gathering.numbers()[semantics.FIRST_CONTENT][(UNLISTED,)]
    assert isinstance(histogram, list)
    assert (sum(histogram[:-1]), histogram[-1]) == (2.0, 3.0)
    (model,) = port.gathering.counted.usage.of("", "s")
    assert (model.requests, model.sums["cost_usd"]) == (2, 1.0)


@pytest.mark.parametrize("killed", [True, False])
async def test_what_a_worker_leaves(autojump_clock: trio.testing.MockClock, port: Port, *, killed: bool) -> None:
    """Its counters stay, and its gauges go; one that ends by itself tells the last of it, too."""
    one, two = port.start(), port.start()
    for worker in (one, two):
        worker.tally.add(COST, ("m", "c"), 1.0)
        worker.tally.add(RUNNING)
    await _reports(autojump_clock, 2)
    assert port.numbers(COST, RUNNING) == {COST: {SPENT: 2.0}, RUNNING: {(): 2.0}}
    one.tally.add(COST, ("m", "c"), 1.0)
    if killed:
        await one.here.aclose()
    else:
        one.retire()
    await trio.testing.wait_all_tasks_blocked()

    assert port.numbers(COST, RUNNING) == {COST: {SPENT: 2.0 if killed else 3.0}, RUNNING: {(): 1.0}}
    assert port.log.calls == []


async def test_half_a_line_of_one_that_was_killed(port: Port) -> None:
    """It is none."""
    worker = Worker()
    port.nursery.start_soon(port.gathering.hear, worker.there)
    await worker.here.send_all(b'{"counted":{')
    await worker.here.aclose()
    await trio.testing.wait_all_tasks_blocked()

    assert port.log.calls == []


async def test_a_worker_that_is_busy(autojump_clock: trio.testing.MockClock, port: Port) -> None:
    """Nobody waits for it: it is counted with what it told last, and said to be silent after a while."""
    one, busy = port.start(), Worker()
    port.nursery.start_soon(port.gathering.hear, busy.there)
    await trio.sleep(2 * SILENT_AFTER)
    began = autojump_clock.current_time()

    assert await one.reporting.ask({"of": "x"}) is not None
    assert autojump_clock.current_time() == began
    assert port.numbers(semantics.WORKERS_SILENT) == {semantics.WORKERS_SILENT: {(): 1.0}}


async def test_many_ask_at_once(port: Port) -> None:
    """Each gets its own answer, and a bug in one is a line in the log and no answer."""
    worker, answers = port.start(), dict[int, str | None]()

    async def ask(size: int, **words: str) -> None:
        answers[size] = await worker.reporting.ask({str(number): "" for number in range(size)} | words)

    async with trio.open_nursery() as nursery:
        for size in range(5):
            nursery.start_soon(ask, size)
        nursery.start_soon(lambda: ask(9, wrong=""))

    assert answers == {**{size: f"[{size},0]" for size in range(5)}, 9: None}
    ((event, said),) = [(call.args[0], call.kwargs) for call in port.log.calls]
    assert event == names.FAULT
    assert said["site"].startswith("KeyError")


async def test_what_an_asker_sees_of_itself(autojump_clock: trio.testing.MockClock, port: Port) -> None:
    """What it has just counted is in the answer: the question comes behind it."""
    worker = port.start()
    await _reports(autojump_clock, 0.5)
    worker.reporting.usage.add(LINE)

    assert await worker.reporting.ask({}) == "[0,1]"


async def test_a_supervisor_that_does_not_answer(autojump_clock: trio.testing.MockClock) -> None:
    """A question waits for it so long and no longer, and what was counted meanwhile is kept for it."""
    worker, clock = Worker(), autojump_clock
    began = clock.current_time()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(worker.live)
        assert await worker.reporting.ask({}) is None
        assert clock.current_time() == began + ANSWER_WITHIN
        nursery.cancel_scope.cancel()


async def test_a_worker_whose_supervisor_is_gone(autojump_clock: trio.testing.MockClock) -> None:
    """It stops to report, and nothing else happens to it."""
    worker = Worker()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(worker.live)
        await _reports(autojump_clock, 1)
        await worker.there.aclose()


@pytest.mark.parametrize("cut", [1, 3, 100])
async def test_lines(cut: int) -> None:
    """However they are cut."""
    here, there = trio.testing.memory_stream_pair()
    text, read = b"one\n\nthree\nha", list[bytes]()
    async with trio.open_nursery() as nursery:

        async def write() -> None:
            for at in range(0, len(text), cut):
                await there.send_all(text[at : at + cut])
            await there.aclose()

        nursery.start_soon(write)
        async for line in lines(here):
            read.append(bytes(line))

    assert read == [b"one", b"", b"three"]
