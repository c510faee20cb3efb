"""What each signal asks of a running server.

SIGTERM is an orchestrator's: it begins the end, however often it comes. SIGINT is a person's: the first begins the
end, and so does another after SIGTERM, but at once. SIGHUP asks for the settings to be read anew. Others that tools
send are ignored, for nobody means the end of a server by them.
"""

from __future__ import annotations

import signal
from collections.abc import Callable

import trio

from pipeline.server.shutdown import Shutdown

AGAIN = "Ctrl-C again ends them at once"
"""What a person should know who has begun the end."""

_IGNORED = ("SIGUSR1", "SIGUSR2")
_RELOAD = getattr(signal, "SIGHUP", None)  # not every system has it


def ignore_others() -> None:
    """Let none of the signals that ask for nothing end this process; SIGHUP among them until `obey` hears it.

    A terminal that closes and a tool that asks for a report are no reason to end.
    """
    for name in ("SIGHUP", *_IGNORED):
        if (number := getattr(signal, name, None)) is not None:
            signal.signal(number, signal.SIG_IGN)


async def obey(shutdown: Shutdown, reload: Callable[[], None] | None) -> None:
    """Hear signals and hand on what they ask, until cancelled.

    Args:
        shutdown: is begun, or hurried.
        reload: asks for the settings to be read anew; must not wait. None leaves SIGHUP ignored.
    """
    heard = [signal.SIGTERM, signal.SIGINT, *([_RELOAD] if _RELOAD is not None and reload is not None else [])]
    with trio.open_signal_receiver(*heard) as signals:
        async for number in signals:
            if number == _RELOAD and reload is not None:
                reload()
            elif number == signal.SIGINT and shutdown.begun.is_set():
                shutdown.hurry()
            else:
                shutdown.begin(signal.Signals(number).name)
