"""The key that goes upstream, where it was not set itself: one that a command prints or a file holds, and that expires.

It is fetched by whoever needs it first, and all others wait for that. How long it is good for it says itself, if it is
a JSON web token; else a setting does. Neither the key nor what the command says is logged.
"""

from __future__ import annotations

import base64
import binascii
import re
import subprocess
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import attrs
import trio

from pipeline.settings.keys import Secret
from pipeline.upstream.carried import is_token
from stages.canonical.failure import Failure, Kind
from stages.wire import json

FETCH_TIMEOUT = 30.0
"""Seconds that fetching may take: signing in at a cloud takes some, and asking a person takes for ever."""

RENEWAL_MARGIN = 300.0
"""Seconds before its end from which on a key is replaced; a quarter of its life where that is shorter."""

_LONGEST = 64 * 2**10
_KEY = re.compile(r"[!-~]+")

Fetch = Callable[[str], Awaitable[tuple[int, bytes]]]
"""Runs a command, or reads a file; returns an exit code and what was printed or read."""


@attrs.frozen
class KeySource:
    """Where keys are fetched.

    Attributes:
        fetch: gets what is there.
        name: what it is called in a sentence, with its setting.
        lacks: what it has not done where it gives no key.
        cause: the cause of such a failure.
    """

    fetch: Fetch
    name: str
    lacks: str
    cause: str


@attrs.define
class FetchedKey:
    """A key that a command prints or a file holds.

    Attributes:
        place: the command, for `/bin/sh`; or the file's path.
        lifetime: seconds that a key is used which does not tell its own end.
        origin: how it is fetched.
        now: the time in seconds since the epoch, for what a key says about its end.
    """

    place: str = attrs.field(repr=False)
    lifetime: float
    origin: KeySource
    now: Callable[[], float] = lambda: datetime.now(UTC).timestamp()
    _key: Secret | None = attrs.field(default=None, init=False)
    _renew_at: float = attrs.field(default=0.0, init=False)
    _ends_at: float = attrs.field(default=0.0, init=False)
    _lock: trio.Lock = attrs.field(factory=trio.Lock, init=False, repr=False)

    async def key(self) -> Secret | Failure:
        """Return a key that is good for now.

        Fetches one only where there is no such key, and waits: while somebody replaces one that is about to end, all
        others use it. Cancelled while it fetches, it ends that, and the next who needs a key begins anew.
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
            with trio.fail_after(FETCH_TIMEOUT):
                code, found = await self.origin.fetch(self.place)
        except trio.TooSlowError:
            return self._failed(f"did not end within {FETCH_TIMEOUT:.0f} seconds")
        except OSError as error:
            return self._failed(f"could not be had ({type(error).__name__})")
        if code:
            return self._failed(f"ended with exit code {code}")
        text = found[:_LONGEST].decode("ascii", "replace").strip()
        return Secret(text) if _KEY.fullmatch(text) else self._failed(self.origin.lacks)

    def _failed(self, how: str) -> Failure:
        return Failure(Kind.UNAVAILABLE, f"{self.origin.name} {how}.", cause=self.origin.cause)

    def _keep(self, key: Secret) -> None:
        lifetime = self.lifetime
        if (end := expiry(key.reveal())) is not None:
            lifetime = max(end - self.now(), 0.0)
        self._key = key
        self._ends_at = trio.current_time() + lifetime
        self._renew_at = self._ends_at - min(RENEWAL_MARGIN, lifetime / 4)


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


async def read_key_file(path: str) -> tuple[int, bytes]:
    """Read a file's beginning in a thread; cancelled, what was read is dropped."""

    def read() -> bytes:
        with Path(path).open("rb") as opened:
            return opened.read(_LONGEST)

    return 0, await trio.to_thread.run_sync(read, abandon_on_cancel=True)


COMMAND = KeySource(
    run_in_shell, "The command of upstream.key_command", "did not print one key and nothing else", "KeyCommand"
)
"""A command that prints a key."""

KEY_FILE = KeySource(
    read_key_file, "The file of upstream.api_key_file", "does not hold one key and nothing else", "KeyFile"
)
"""A file that holds a key, as orchestrators mount their secrets."""
