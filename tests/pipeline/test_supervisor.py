"""Several processes behind one port, without a process."""

from __future__ import annotations

import itertools
from collections.abc import Awaitable, Callable
from typing import Any

import attrs
import pytest
import structlog.testing
import trio
import trio.testing

from pipeline.server.shutdown import Shutdown
from pipeline.supervisor import KILL_AFTER, START, NotServingError, Restarts, Supervisor, Worker


@attrs.define(eq=False)
class FakeWorker:
    """A worker that lives until it is told otherwise; `stubborn` ones only until they are killed."""

    stubborn: bool = False
    serves: bool = True
    code: int = 0
    pid: int = 7
    terminated: bool = False
    retired: bool = False
    hurried: bool = False
    killed: bool = False
    ended: trio.Event = attrs.field(factory=trio.Event)
    serving: trio.Event = attrs.field(factory=trio.Event)

    async def wait(self) -> int:
        """Wait for the end."""
        await self.ended.wait()
        return self.code

    async def ready(self) -> None:
        """Serve at once, or when it has come to that."""
        if not self.serves:
            await self.serving.wait()

    def retire(self) -> None:
        """Hear that; the last request may take long."""
        self.retired = True

    def hurry(self) -> None:
        """Hear that, which ends all but the stubborn."""
        self.hurried = True
        if not self.stubborn:
            self.ended.set()

    def crash(self, code: int = 1) -> None:
        """End unasked."""
        self.code = code
        self.ended.set()

    def terminate(self) -> None:
        """End when asked, unless stubborn."""
        self.terminated = True
        if not self.stubborn:
            self.ended.set()

    def kill(self) -> None:
        """End in any case."""
        self.killed = True
        self.ended.set()


@attrs.define
class Scene:
    """A supervisor, the workers that it started, and what it said in the log."""

    stubborn: bool = False
    serves: bool = True
    started: list[FakeWorker] = attrs.field(factory=list)
    log: Any = attrs.field(factory=structlog.testing.CapturingLogger)
    stopping: Shutdown = attrs.field(factory=Shutdown)
    serving: list[str] = attrs.field(factory=list)

    async def start(self) -> Worker:
        """Start a worker."""
        await trio.lowlevel.checkpoint()
        self.started.append(FakeWorker(self.stubborn, self.serves))
        return self.started[-1]

    def supervisor(
        self,
        restarts: Restarts = Restarts(),  # noqa: B008 - frozen
        start: Callable[[], Awaitable[Worker]] | None = None,
    ) -> Supervisor:
        """Make the supervisor."""
        return Supervisor(start or self.start, lambda: self.log, self.stopping, lambda: 10.0, restarts)

    async def result(self, supervisor: Supervisor, count: int, codes: list[int]) -> None:
        """Run it to its end, and note that with a 0."""
        await supervisor.run(count, lambda: self.serving.append("all"))
        codes.append(0)

    @property
    def reports(self) -> list[dict[str, Any]]:
        """What was said of workers that ended."""
        assert all(call.args == ("worker_ended",) for call in self.log.calls)
        return [dict(call.kwargs) for call in self.log.calls]


async def test_as_many_workers_as_asked_for(autojump_clock: trio.testing.MockClock) -> None:
    """All are started, all are asked to end, and that is a success."""
    scene, codes = Scene(), list[int]()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(scene.result, scene.supervisor(), 3, codes)
        await trio.testing.wait_all_tasks_blocked()
        scene.stopping.begin()

    assert [worker.terminated for worker in scene.started] == [True] * 3
    assert not any(worker.killed for worker in scene.started)
    assert codes == [0]
    assert autojump_clock.current_time() < 1


async def test_a_worker_that_ends_is_replaced(autojump_clock: trio.testing.MockClock) -> None:
    """One crash is an accident: the others go on and a new one comes."""
    assert autojump_clock.current_time() == 0
    scene, codes = Scene(), list[int]()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(scene.result, scene.supervisor(), 2, codes)
        await trio.testing.wait_all_tasks_blocked()
        scene.started[0].crash(-9)
        await trio.testing.wait_all_tasks_blocked()
        scene.stopping.begin()

    assert len(scene.started) == 3
    assert scene.reports == [{"pid": 7, "how": "signal 9", "restart_in": 0.0}]
    assert codes == [0]


async def test_ends_in_a_row_are_waited_for_longer(autojump_clock: trio.testing.MockClock) -> None:
    """Whatever is wrong with all workers, the supervisor goes on, and never waits longer than its most."""
    scene, codes = Scene(), list[int]()
    restarts = Restarts(first=1, most=5, long=60)
    born: list[float] = []

    async with trio.open_nursery() as nursery:
        nursery.start_soon(scene.result, scene.supervisor(restarts), 1, codes)
        for count in range(1, 9):
            while len(scene.started) < count:  # noqa: ASYNC110 - it is the clock that moves here
                await trio.sleep(0.25)
            born.append(autojump_clock.current_time())
            scene.started[-1].crash()
        scene.stopping.begin()

    gaps = [after - before for before, after in itertools.pairwise(born)]
    assert [round(gap) for gap in gaps] == [0, 1, 2, 4, 5, 5, 5]
    assert scene.reports[1] == {"pid": 7, "how": "exit code 1", "restart_in": 1}
    assert codes == [0]


async def test_old_ends_are_forgotten(autojump_clock: trio.testing.MockClock) -> None:
    """A crash a day is an accident each time, made good at once."""
    assert autojump_clock.current_time() == 0
    scene, codes = Scene(), list[int]()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(scene.result, scene.supervisor(), 1, codes)
        for _ in range(8):
            await trio.sleep(61)
            scene.started[-1].crash()
            await trio.testing.wait_all_tasks_blocked()
        scene.stopping.begin()

    assert codes == [0]
    assert len(scene.started) == 9


async def test_the_wait_for_another_ends_with_the_rest(autojump_clock: trio.testing.MockClock) -> None:
    """Nobody is started after the end, and the end is not held up."""
    scene, codes = Scene(), list[int]()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(scene.result, scene.supervisor(Restarts(first=1000, most=1000)), 1, codes)
        for _ in range(2):
            await trio.testing.wait_all_tasks_blocked()
            scene.started[-1].crash()
        await trio.testing.wait_all_tasks_blocked()
        scene.stopping.begin()

    assert autojump_clock.current_time() < 1
    assert len(scene.started) == 2
    assert codes == [0]


async def test_a_worker_that_cannot_be_started(autojump_clock: trio.testing.MockClock) -> None:
    """No room for a process, or no such program any more: it is tried again."""
    assert autojump_clock.current_time() == 0
    scene, codes, first = Scene(), list[int](), [OSError(12, "no memory")]

    async def start() -> Worker:
        if first:
            raise first.pop()
        return await scene.start()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(scene.result, scene.supervisor(start=start), 1, codes)
        await trio.testing.wait_all_tasks_blocked()
        scene.stopping.begin()

    assert len(scene.started) == 1
    assert scene.reports == [{"how": "it could not be started: no memory", "restart_in": 0.0}]


async def test_a_worker_that_does_not_end_is_killed(autojump_clock: trio.testing.MockClock) -> None:
    """After the grace nobody is waited for."""
    scene, codes = Scene(stubborn=True), list[int]()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(scene.result, scene.supervisor(), 2, codes)
        await trio.testing.wait_all_tasks_blocked()
        scene.stopping.begin()

    assert all(worker.terminated and worker.hurried and worker.killed for worker in scene.started)
    assert autojump_clock.current_time() == pytest.approx(10 + KILL_AFTER)


async def test_a_worker_that_starts_while_all_end_is_told_too() -> None:
    """The round of terminations may pass while a process is being started."""
    scene, codes = Scene(), list[int]()
    scene.stopping.begin()
    first = scene.start

    async def slowly() -> Worker:
        scene.stopping.begin()
        return await first()

    scene.stopping = Shutdown()
    supervisor = scene.supervisor(start=slowly)

    await scene.result(supervisor, 1, codes)

    assert [worker.terminated for worker in scene.started] == [True]
    assert codes == [0]


async def test_new_workers_come_before_the_old_ones_go(autojump_clock: trio.testing.MockClock) -> None:
    """One after the other: each new one serves before an old one retires, and retired ones may take their time."""
    assert autojump_clock.current_time() == 0
    scene, codes = Scene(), list[int]()
    supervisor = scene.supervisor()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(scene.result, supervisor, 2, codes)
        await trio.testing.wait_all_tasks_blocked()
        assert scene.serving == ["all"]
        scene.serves = False
        nursery.start_soon(supervisor.replace, 3)
        await trio.testing.wait_all_tasks_blocked()
        assert len(scene.started) == 3
        assert not any(worker.retired for worker in scene.started), "the new one does not serve yet"
        scene.serves = True
        scene.started[2].serving.set()
        await trio.testing.wait_all_tasks_blocked()
        assert [worker.retired for worker in scene.started] == [True, True, False, False, False]
        scene.started[0].crash(0)  # its last request is over
        await trio.testing.wait_all_tasks_blocked()
        assert scene.reports == []
        scene.stopping.begin()

    assert codes == [0]


async def test_settings_with_which_nobody_serves(autojump_clock: trio.testing.MockClock) -> None:
    """The old workers go on, and the one that does not serve is given up."""
    scene, codes = Scene(), list[int]()
    supervisor = scene.supervisor()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(scene.result, supervisor, 2, codes)
        await trio.testing.wait_all_tasks_blocked()
        scene.serves = False
        with pytest.raises(NotServingError):
            await supervisor.replace(2)
        assert autojump_clock.current_time() == pytest.approx(START)
        assert [worker.retired for worker in scene.started] == [False, False, True]
        scene.stopping.begin()


async def test_a_second_signal_is_handed_on(autojump_clock: trio.testing.MockClock) -> None:
    """Whoever hurries need not wait for the grace."""
    scene, codes = Scene(stubborn=True), list[int]()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(scene.result, scene.supervisor(), 2, codes)
        await trio.testing.wait_all_tasks_blocked()
        scene.stopping.begin("SIGINT")
        await trio.sleep(1)
        scene.stopping.hurry()

    assert all(worker.hurried for worker in scene.started)
    assert autojump_clock.current_time() == pytest.approx(1 + KILL_AFTER)
