"""What a reload changes, by the names of settings alone: values may be keys."""

from __future__ import annotations

from operator import attrgetter

import attrs

from pipeline.settings import SETTINGS, Settings

_SOCKETS = ("host", "port")
_ONE_PROCESS = (*_SOCKETS, "http1", "workers")
_TLS = ("certfile", "keyfile")
# Another certificate can be taken; whether there is one at all was decided when the process began to listen.


@attrs.frozen
class Changes:
    """What differs between two sets of settings.

    Attributes:
        settings: the new ones, as far as they can be taken.
        taken: names of those that change now.
        fixed: names of those that need a restart, and stay as they were.
    """

    settings: Settings
    taken: tuple[str, ...]
    fixed: tuple[str, ...]


def changes(old: Settings, new: Settings) -> Changes:
    """Compare settings.

    Args:
        old: those that are in. With several workers, whoever takes the new ones are new processes: only the socket is
            older than they are.
        new: those that were read.
    """
    differing = [name for name in SETTINGS if attrgetter(name)(old) != attrgetter(name)(new)]
    fixed = [name for name in differing if _is_fixed(name, old, new)]
    kept = {name: getattr(old, name) for name in fixed}
    taken = tuple(name for name in differing if name not in fixed)
    return Changes(attrs.evolve(new, **kept), taken, tuple(fixed))


def _is_fixed(name: str, old: Settings, new: Settings) -> bool:
    if old.workers > 1:
        return name in _SOCKETS or (name == "workers" and new.workers == 1)
    return name in _ONE_PROCESS or (name in _TLS and bool(old.certfile) != bool(new.certfile))
