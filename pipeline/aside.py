"""Runs what would hold up other requests beside them: in a thread, or in a process of its own.

How to think about it.  One thread serves all streams, so whatever it does at once is a pause in each of them.  A small
request is translated there and then, for a hop costs more than the work.  A larger one goes into a thread, which gives
way every few milliseconds, but not inside one call into C (reading JSON, above all), and not while a tree of objects is
freed.  Both take longer the larger the request is, so the largest go into a process, which has an interpreter of its
own.  It is started when it is first needed, ends with this one, and holds one request at a time.
"""

from __future__ import annotations

import gc
import os
import pickle
import signal
import subprocess
import sys
from collections.abc import Callable
from itertools import count
from typing import IO, Any, ParamSpec, TypeVar

import attrs
import trio

from pipeline.telemetry.logs import ElsewhereError, fault_site

P = ParamSpec("P")
R = TypeVar("R")

INLINE = 2**15
"""Bytes of a request that is dealt with on the spot: a hostile one takes some 30 ms, an ordinary one less than one."""

THREADED = 2**20
"""Bytes of a request that a thread deals with: no call into C takes longer than some 20 ms for it."""

THOROUGH = 256
"""Questions behind which the other process looks for garbage among everything that it has."""

_NEW, _ALL = 0, 2
# Generations of the garbage collector.
_LENGTH = 8
# Bytes of the number that says how long a message between the processes is.


@attrs.frozen
class _Fault:
    """What the other process says of an exception: never its message, which may quote content."""

    site: str
    too_deep: bool


class Aside:
    """Runs functions of requests where they belong by their size."""

    def __init__(self, inline: int = INLINE, threaded: int = THREADED) -> None:
        """Start nothing yet.

        Args:
            inline: bytes up to which a function runs on the spot.
            threaded: bytes up to which it runs in a thread.
        """
        self._inline = inline
        self._threaded = threaded
        self._threads = trio.CapacityLimiter(1)
        self._turn = trio.Lock()
        self._process: trio.Process | None = None

    def leaves(self, size: int) -> bool:
        """Whether a request of so many bytes goes into the other process, where nothing of this one is at hand."""
        return size > self._threaded

    async def run(self, size: int, function: Callable[P, R], *arguments: P.args, **named: P.kwargs) -> R:
        """Run a pure function, and return what it returns.

        Waits for its turn, and for the function, unless it is small.  When it is cancelled, a thread is left to itself,
        since it holds nothing but its arguments, and a process is ended.

        Args:
            size: how large the request is, in bytes.
            function: what to run, a function of a module; what goes in and comes out can be pickled.
            arguments: its arguments.
            named: those with names.

        Raises:
            ElsewhereError: the function raised an exception in the other process, a bug, or that process ended.
            RecursionError: the request is nested too deeply for it.
        """
        if size <= self._inline:
            return function(*arguments, **named)
        if not self.leaves(size):
            return await trio.to_thread.run_sync(
                lambda: function(*arguments, **named), abandon_on_cancel=True, limiter=self._threads
            )
        async with self._turn:
            found: R | _Fault = await self._ask((function, arguments, named))
        if isinstance(found, _Fault):
            raise RecursionError if found.too_deep else ElsewhereError(found.site)
        return found

    async def close(self) -> None:
        """End the process, if there is one; waits until it has ended, whatever is cancelled."""
        process, self._process = self._process, None
        if process is not None:
            with trio.CancelScope(shield=True):
                process.kill()
                await process.wait()
                for stream in (process.stdin, process.stdout):
                    if stream is not None:
                        await stream.aclose()

    async def _ask(self, question: Any) -> Any:
        """Exchange one message for another; a process that was interrupted is of no use any more.

        Messages are taken apart and put together in a thread, because a large one has a great many parts.
        """
        try:
            process = self._process = self._process or await _start()
            assert process.stdin is not None  # noqa: S101 - both are pipes, as `_start` asks for
            assert process.stdout is not None  # noqa: S101
            said = await trio.to_thread.run_sync(pickle.dumps, question)
            await process.stdin.send_all(len(said).to_bytes(_LENGTH, "big"))
            await process.stdin.send_all(said)
            del said
            size = int.from_bytes(b"".join(await _receive(process.stdout, _LENGTH)), "big")
            return await trio.to_thread.run_sync(_read, await _receive(process.stdout, size))
        except trio.BrokenResourceError:
            await self.close()
            raise ElsewhereError("the process for large requests has ended") from None
        except BaseException:
            await self.close()
            raise


async def _start() -> trio.Process:
    # Not as `-m`: what is pickled there must be of the module of this name, not of `__main__`.
    program = [sys.executable, "-c", "from pipeline.aside import main; main()"]
    return await trio.lowlevel.open_process(program, stdin=subprocess.PIPE, stdout=subprocess.PIPE)


def _read(parts: list[bytes]) -> Any:
    return pickle.loads(b"".join(parts))  # noqa: S301 - from our own process


async def _receive(stream: trio.abc.ReceiveStream, size: int) -> list[bytes]:
    """Read so many bytes; waits for each of them."""
    parts: list[bytes] = []
    while size:
        part = await stream.receive_some(size)
        if not part:
            raise trio.BrokenResourceError
        parts.append(bytes(part))
        size -= len(part)
    return parts


def answer_all(questions: IO[bytes], answers: IO[bytes]) -> None:
    """Run functions one after the other until there are no more questions.

    Garbage is looked for behind each, among what it has made; among all that is remembered, which takes 60 ms, seldom.
    """
    for number in count(1):
        if not (head := questions.read(_LENGTH)):
            break
        answer = pickle.dumps(_answer(questions.read(int.from_bytes(head, "big"))))
        answers.write(len(answer).to_bytes(_LENGTH, "big"))
        answers.write(answer)
        answers.flush()
        del answer
        gc.collect(_ALL if number % THOROUGH == 0 else _NEW)


def _answer(question: bytes) -> Any:
    try:
        function, arguments, named = pickle.loads(question)  # noqa: S301 - from our own process
        return function(*arguments, **named)
    except Exception as error:  # noqa: BLE001 - it is told to whoever asked
        return _Fault(fault_site(error), isinstance(error, RecursionError))


def main() -> None:
    """Serve the process that has started this one; it ends when that one does."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # meant for the server, which closes the pipe when it is done
    gc.disable()  # looking for garbage in a tree of a million objects takes longer than making it
    with os.fdopen(os.dup(1), "wb") as answers:
        os.dup2(2, 1)  # whatever prints must not come between
        answer_all(sys.stdin.buffer, answers)
