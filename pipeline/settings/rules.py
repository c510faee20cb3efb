"""What must hold between settings: each alone may be right, and the whole still wrong."""

from __future__ import annotations

import difflib
import ipaddress
from collections.abc import Callable, Collection, Iterator
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import attrs

from pipeline.settings.sources import variable
from stages.tables.model_registry import Described
from stages.tables.models import FAMILIES
from stages.tables.profiles import PROFILES, Profile

if TYPE_CHECKING:
    from pipeline.settings.catalogue import Settings


@lru_cache(maxsize=64)  # asked of every request, and it is mostly the same host
def is_loopback(host: str) -> bool:
    """Tell whether only this machine can reach a server that listens on `host`."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def _open_to_others_needs_keys(settings: Settings) -> Iterator[str]:
    if not settings.client_keys and not is_loopback(settings.host):
        yield (
            f"host: {settings.host!r} can be reached from other machines, and whoever reaches it would spend your "
            f"upstream key; set client_keys ({variable('client_keys')}), or listen on 127.0.0.1"
        )


def _certificate_with_key(settings: Settings) -> Iterator[str]:
    given = {"certfile": settings.certfile, "keyfile": settings.keyfile}
    if any(given.values()):
        for name, path in given.items():
            if not path:
                yield f"{name}: is needed as well; TLS takes a certificate and its key"
            elif not Path(path).is_file():
                yield f"{name}: there is no such file"


def _ping_before_nudge(settings: Settings) -> Iterator[str]:
    if settings.timing.ping_after > settings.timing.nudge_after:
        yield "timing.nudge_after: must not be less than timing.ping_after; both are counted from the same silence"


def _known_profile(settings: Settings) -> Iterator[str]:
    name = settings.upstream.profile
    if name and name not in PROFILES:
        yield f"upstream.profile: {_near(name, PROFILES)}"


def _known_overrides(settings: Settings) -> Iterator[str]:
    defaults = {field.name: field.default for field in attrs.fields(Profile) if field.name != "name"}
    for name, value in settings.upstream.profile_overrides.items():
        if name not in defaults:
            yield f"upstream.profile_overrides: {_near(name, defaults)}"
        elif type(value) is not type(defaults[name]):
            kind = _KINDS[type(defaults[name])]
            yield f"upstream.profile_overrides: {name} is not understood; {kind} would be right"


_KINDS = {bool: "true or false", int: "a whole number", str: "a text"}


def _one_key(settings: Settings) -> Iterator[str]:
    upstream = settings.upstream
    ways = {"api_key": upstream.api_key, "api_key_file": upstream.api_key_file, "key_command": upstream.key_command}
    first, *others = [f"upstream.{name}" for name, value in ways.items() if value] or [""]
    for other in others:
        yield f"{other}: there is {first} as well; leave one of them out"
    if upstream.api_key_file and not Path(upstream.api_key_file).is_file():
        yield "upstream.api_key_file: there is no such file"


def _described_by_name(settings: Settings) -> Iterator[str]:
    for name, told in settings.models.items():
        if isinstance(told, Described) and not told.upstream and (name in FAMILIES or name == "default"):
            yield f"models: {name} is a word in clients' names and no model; say which one it means with upstream"


def _near(name: str, known: Collection[str]) -> str:
    close = difflib.get_close_matches(name, known, n=1)
    # The name itself is not repeated: what stands in the wrong place may be a key.
    return f"no such name; did you mean {close[0]}?" if close else f"no such name; there are {', '.join(known)}"


SETTINGS_RULES: tuple[tuple[frozenset[str], Callable[[Settings], Iterator[str]]], ...] = (
    (frozenset({"host", "client_keys"}), _open_to_others_needs_keys),
    (frozenset({"certfile", "keyfile"}), _certificate_with_key),
    (frozenset({"timing.ping_after", "timing.nudge_after"}), _ping_before_nudge),
    (frozenset({"upstream.api_key", "upstream.api_key_file", "upstream.key_command"}), _one_key),
    (frozenset({"models"}), _described_by_name),
    (frozenset({"upstream.profile"}), _known_profile),
    (frozenset({"upstream.profile_overrides"}), _known_overrides),
)
"""The settings that a rule is about, and a function that yields the mistakes; it runs only if those could be read."""
