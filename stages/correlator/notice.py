"""What is said when nothing of an answer can be shown: a silent `end_turn` would look like an answer."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator

from stages.canonical.events import BLOCK_STOP, BlockStop, TextDelta, TextStart
from stages.canonical.failure import Failure, Kind
from stages.correlator.call_track import NAMELESS
from stages.correlator.shapes import MESSAGE
from stages.correlator.track import UNTYPED, Track

_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9_ .-]")
_NAME_LENGTH = 64
_NAMES = 8
_NOTHING = "[The upstream's answer consists of what cannot be shown here: {names}.]"
_UNNAMED_CALL = "The upstream called a tool without saying which."


def notice(tracks: Iterable[Track]) -> Iterator[TextStart | TextDelta | BlockStop | Failure]:
    """Name what came instead of an answer; nothing if nothing came.

    A call that nobody can run is a failure: the turn cannot go on without its result, and asked again the upstream may
    say its name.
    """
    left_out = Counter[str]()
    for track in tracks:
        if track.answers:
            left_out.update(track.left_out or ([] if track.kind == MESSAGE else [track.kind or UNTYPED]))
    if NAMELESS in left_out:
        yield Failure(Kind.UPSTREAM, _UNNAMED_CALL, cause="nameless_call")
    elif left_out:
        yield TextStart()
        yield TextDelta(_NOTHING.format(names=", ".join(map(_named, left_out.most_common(_NAMES)))))
        yield BLOCK_STOP


def _named(counted: tuple[str, int]) -> str:
    name, count = counted
    name = _NOT_IN_NAMES.sub("?", name)[:_NAME_LENGTH]
    return f"{name} ({count})" if count > 1 else name
