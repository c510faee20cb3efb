"""Several processes behind one port."""

from __future__ import annotations

import itertools
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import attrs
import pytest
import trio
import trio.testing

from pipeline import workers
from pipeline.workers import Restarts, Supervisor
from tests.support.waiting import TIMEOUT


@attrs.define(eq=False)
class FakeWorker:
    """A worker that lives until it is told otherwise; `stubborn` ones only until they are killed."""

    stubborn: bool = False
    code: int = 0
    terminated: bool = False
    killed: bool = False
    ended: trio.Event = attrs.field(factory=trio.Event)

    async def wait(self) -> int:
        """Wait for the end."""
        await self.ended.wait()
        return self.code

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
    """A supervisor, the workers that it started, and what it reported."""

    stubborn: bool = False
    started: list[FakeWorker] = attrs.field(factory=list)
    reports: list[str] = attrs.field(factory=list)
    stopping: trio.Event = attrs.field(factory=trio.Event)

    async def start(self) -> FakeWorker:
        """Start a worker."""
        await trio.lowlevel.checkpoint()
        self.started.append(FakeWorker(self.stubborn))
        return self.started[-1]

    def supervisor(self, restarts: Restarts = Restarts()) -> Supervisor:  # noqa: B008 - frozen
        """Make the supervisor."""
        return Supervisor(self.start, 10.0, self.reports.append, restarts)

    async def result(self, supervisor: Supervisor, count: int, codes: list[int]) -> None:
        """Run it to its end, and note that with a 0."""
        await supervisor.run(count, self.stopping)
        codes.append(0)


async def test_as_many_workers_as_asked_for(autojump_clock: trio.testing.MockClock) -> None:
    """All are started, all are asked to end, and that is a success."""
    scene, codes = Scene(), list[int]()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(scene.result, scene.supervisor(), 3, codes)
        await trio.testing.wait_all_tasks_blocked()
        scene.stopping.set()

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
        scene.stopping.set()

    assert len(scene.started) == 3
    assert scene.reports == ["a worker ended unasked (signal 9); starting another"]
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
        scene.stopping.set()

    gaps = [after - before for before, after in itertools.pairwise(born)]
    assert [round(gap) for gap in gaps] == [0, 1, 2, 4, 5, 5, 5]
    assert scene.reports[1] == "a worker ended unasked (exit code 1); starting another in 1 s"
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
        scene.stopping.set()

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
        scene.stopping.set()

    assert autojump_clock.current_time() < 1
    assert len(scene.started) == 2
    assert codes == [0]


async def test_a_worker_that_cannot_be_started(autojump_clock: trio.testing.MockClock) -> None:
    """No room for a process, or no such program any more: it is tried again."""
    assert autojump_clock.current_time() == 0
    scene, codes, first = Scene(), list[int](), [OSError(12, "no memory")]

    async def start() -> FakeWorker:
        if first:
            raise first.pop()
        return await scene.start()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(scene.result, Supervisor(start, 10.0, scene.reports.append), 1, codes)
        await trio.testing.wait_all_tasks_blocked()
        scene.stopping.set()

    assert len(scene.started) == 1
    assert scene.reports == ["a worker ended unasked (it could not be started: no memory); starting another"]


async def test_a_worker_that_does_not_end_is_killed(autojump_clock: trio.testing.MockClock) -> None:
    """After the grace nobody is waited for."""
    scene, codes = Scene(stubborn=True), list[int]()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(scene.result, scene.supervisor(), 2, codes)
        await trio.testing.wait_all_tasks_blocked()
        scene.stopping.set()

    assert all(worker.terminated and worker.killed for worker in scene.started)
    assert autojump_clock.current_time() == pytest.approx(10)


async def test_a_worker_that_starts_while_all_end_is_told_too() -> None:
    """The round of terminations may pass while a process is being started."""
    scene, codes = Scene(), list[int]()
    scene.stopping.set()
    first = scene.start

    async def slowly() -> FakeWorker:
        scene.stopping.set()
        return await first()

    scene.stopping = trio.Event()
    supervisor = Supervisor(slowly, 10.0, scene.reports.append)

    await scene.result(supervisor, 1, codes)

    assert [worker.terminated for worker in scene.started] == [True]
    assert codes == [0]


def test_the_command_of_a_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    """It finds our packages wherever it is started, and nobody else's: the working directory is not searched."""
    monkeypatch.setenv("PYTHONPATH", "/somewhere")
    with socket.socket() as listener:
        command, environment = workers.server_command(["--port", "1"], listener)

        assert command[1:5] == ["-P", "-m", "pipeline.cli", "serve"]
        assert command[5:] == ["--port", "1", "--fd", str(listener.fileno())]
    root, *others = environment["PYTHONPATH"].split(os.pathsep)
    assert (Path(root) / "pipeline").is_dir()
    assert others == ["/somewhere"]


def test_a_child_ends_with_its_parent() -> None:
    """When the other end of the pipe closes, however it does, the child gets SIGTERM."""
    script = "import signal; from pipeline.workers import end_with_parent; end_with_parent(); signal.pause()"
    with socket.socket() as listener:
        _, environment = workers.server_command([], listener)

    with subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, env=environment) as child:
        assert child.stdin is not None
        child.stdin.close()
        code = child.wait(TIMEOUT)

    assert code == -signal.SIGTERM
