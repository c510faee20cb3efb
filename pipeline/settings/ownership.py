"""Whose a dragoman is: a secret that only its user can read, and proofs by it, which tell nothing else.

Whoever listens on a port first is asked by everybody on the machine, and reads what he is asked. So `dragoman claude`
sends a challenge before it sends code: only a process that can read the user's secret can answer it. The answer is
bound to the address that was asked, lest somebody in between hand the challenge on to the real one, and a second answer
to the settings, which nobody learns from it.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import os
import re
import secrets
import stat
from collections.abc import Iterator, Mapping
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING

import attrs

from pipeline.settings.catalogue import SETTINGS
from pipeline.settings.client_keys import ClientKey
from pipeline.settings.keys import Secret
from stages.tables.model_registry import Described
from stages.tables.prices import Price

if TYPE_CHECKING:
    from pipeline.settings.catalogue import Settings

ONE_RUN = "DRAGOMAN_ONE_RUN"
"""The variable of a server that ends with the run that started it: it proves nothing, for no other may rely on it."""

LocalAddress = tuple[str, int]
"""Where a server was asked: the address and port of its end of the connection."""

_CHALLENGE = re.compile(r"[0-9a-f]{64}")
_SIZE = 32  # bytes of a secret and of a challenge
_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_OF_ONE_PROCESS = frozenset({"host", "port", "workers", "log_format", "log_level", "draining", "timing.shutdown_grace"})
# Settings that change nothing about the answers, so that a server which differs in them will do.


def state_folder(environment: Mapping[str, str]) -> Path:
    """Where logs and the secret lie: `dragoman` in the user's folder for state. It need not exist."""
    named = environment.get("XDG_STATE_HOME")
    return (Path(named) if named else Path.home() / ".local" / "state") / "dragoman"


def own_secret(environment: Mapping[str, str], *, make: bool = False) -> bytes | None:
    """Read the secret of this user; None where there is none, or where others could have read or written it.

    Args:
        environment: says where the state folder is, and whether this process serves one run alone.
        make: whether to make one where there is none.
    """
    if environment.get(ONE_RUN):
        return None
    try:
        file = state_folder(environment) / "secret"
        if make and not file.exists():
            file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            _make(file)
        return _read(file)
    except (OSError, RuntimeError):  # the latter where nobody knows a home
        return None


def new_challenge() -> str:
    """Make a challenge that was never sent before."""
    return secrets.token_hex(_SIZE)


def proof(secret: bytes, challenge: str, address: LocalAddress, settings: Settings | None = None) -> str | None:
    """Answer a challenge; None for a text that is none.

    Args:
        secret: the user's.
        challenge: 64 hexadecimal digits.
        address: where the server was asked.
        settings: what it was set to; without, the answer proves the user alone.
    """
    if not _CHALLENGE.fullmatch(challenge):
        return None
    host, port = address
    text = "\n".join([challenge, host.removeprefix("::ffff:"), str(port), *(_facts(settings) if settings else ())])
    return hmac.new(secret, text.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()


def _make(file: Path) -> None:
    """Write a new secret, whole or not at all: another process may be doing the same."""
    draft = file.with_name(f"secret-{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as opened:
            opened.write(secrets.token_bytes(_SIZE))
        with contextlib.suppress(FileExistsError):
            os.link(draft, file)
    finally:
        draft.unlink()


def _read(file: Path) -> bytes | None:
    with file.open("rb") as opened:
        status = os.fstat(opened.fileno())
        secret = opened.read(_SIZE + 1)
    private = status.st_uid == os.geteuid() and not status.st_mode & _OTHERS
    return secret if private and len(secret) == _SIZE else None


def _facts(settings: Settings) -> Iterator[str]:
    for name in SETTINGS:
        if name not in _OF_ONE_PROCESS and not name.startswith("telemetry."):
            yield f"{name}={_plain(attrgetter(name)(settings))!r}"


def _plain(value: object) -> object:
    """Turn a setting's value into one whose text tells all of it, in the same order however it was given."""
    match value:
        case Secret():
            return value.reveal()
        case ClientKey():
            return (value.name, value.digest)
        case Mapping():
            return sorted((str(name), _plain(each)) for name, each in value.items())
        case tuple() | list():
            return [_plain(each) for each in value]
        case Described() | Price():
            return _plain(attrs.asdict(value, recurse=False))
        case _:
            return value
