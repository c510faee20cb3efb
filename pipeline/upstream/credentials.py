"""The key that goes upstream: one that was set, or one that a command prints and that expires.

A command's key is run for by whoever needs it first, and all others wait for that one run. How long it is good for it
says itself, if it is a JSON web token; else a setting does. Neither the key nor what the command says is logged.
"""

from __future__ import annotations

import base64
import binascii
import re
import subprocess
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import attrs
import trio

from pipeline.settings.keys import Secret
from pipeline.upstream.carried import is_token
from stages.canonical.failure import Failure, Kind
from stages.wire import json

PATIENCE = 30.0
"""Seconds that the command may take: signing in at a cloud takes some, and asking a person takes for ever."""

MARGIN = 300.0
"""Seconds before its end from which on a key is replaced; a quarter of its life where that is shorter."""

_LONGEST = 64 * 2**10
_KEY = re.compile(r"[!-~]+")

Run = Callable[[str], Awaitable[tuple[int, bytes]]]
"""Runs a command; returns its exit code and what it printed."""


@attrs.define
class KeyCommand:
    """A key that a command prints.

    Attributes:
        command: for `/bin/sh`.
        lifetime: seconds that a key is used which does not tell its own end.
        run: stands in for the shell, for tests.
        now: the time in seconds since the epoch, for what a key says about its end.
    """

    command: str = attrs.field(repr=False)
    lifetime: float
    run: Run = attrs.field(factory=lambda: run_in_shell)
    now: Callable[[], float] = lambda: datetime.now(UTC).timestamp()
    _key: Secret | None = attrs.field(default=None, init=False)
    _renew_at: float = attrs.field(default=0.0, init=False)
    _ends_at: float = attrs.field(default=0.0, init=False)
    _lock: trio.Lock = attrs.field(factory=trio.Lock, init=False, repr=False)

    async def key(self) -> Secret | Failure:
        """Return a key that is good for now.

        Waits for the command only where there is no such key: while somebody replaces one that is about to end, all
        others use it. Cancelled while it runs the command, it ends that, and the next who needs a key runs it again.
        """
        if self._is_good(self._renew_at) or (self._lock.locked() and self._is_good(self._ends_at)):
            return self._good()
        async with self._lock:
            if self._is_good(self._renew_at):
                return self._good()
            fresh = await self._fetched()
            if isinstance(fresh, Failure):
                return self._good() if self._is_good(self._ends_at) else fresh
            self._keep(fresh)
            return fresh

    def forget(self, key: Secret) -> None:
        """Use a key no more that the upstream did not take, whatever it said about its end."""
        if key == self._key:
            self._key = None

    def _is_good(self, until: float) -> bool:
        return self._key is not None and trio.current_time() < until

    def _good(self) -> Secret:
        assert self._key is not None  # noqa: S101 - both callers have just looked
        return self._key

    async def _fetched(self) -> Secret | Failure:
        try:
            with trio.fail_after(PATIENCE):
                code, printed = await self.run(self.command)
        except trio.TooSlowError:
            return _failed(f"did not end within {PATIENCE:.0f} seconds")
        except OSError as error:
            return _failed(f"could not be run ({type(error).__name__})")
        if code:
            return _failed(f"ended with exit code {code}")
        text = printed[:_LONGEST].decode("ascii", "replace").strip()
        return Secret(text) if _KEY.fullmatch(text) else _failed("did not print one key and nothing else")

    def _keep(self, key: Secret) -> None:
        lifetime = self.lifetime
        if (end := expiry(key.reveal())) is not None:
            lifetime = max(end - self.now(), 0.0)
        self._key = key
        self._ends_at = trio.current_time() + lifetime
        self._renew_at = self._ends_at - min(MARGIN, lifetime / 4)


def _failed(how: str) -> Failure:
    return Failure(Kind.UNAVAILABLE, f"The command of upstream.key_command {how}.", cause="KeyCommand")


def expiry(key: str) -> float | None:
    """When a JSON web token ends, in seconds since the epoch; None where it does not say, or is no such thing."""
    if not is_token(key):
        return None
    claims = key.split(".")[1]
    try:
        told: Any = json.decode(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))
    except (binascii.Error, json.MalformedJson):
        return None
    end = told.get("exp") if isinstance(told, dict) else None
    return float(end) if isinstance(end, int | float) and not isinstance(end, bool) else None


async def run_in_shell(command: str) -> tuple[int, bytes]:
    """Run a command and wait for its end; what it says on standard error is for nobody.

    Cancelled, it ends the command.
    """
    done = await trio.run_process(
        ["/bin/sh", "-c", command],
        stdin=b"",
        capture_stdout=True,
        stderr=subprocess.DEVNULL,
        check=False,
    )
    return done.returncode, done.stdout
