"""Which items of the final object are which of the stream's, and which are new.

The final object may have new ids, another order, other places, trimmed texts, and items that the stream cut otherwise.
So its items are paired with the stream's by name first, then by what they say, by their place, and by their order.
Only what is left over is new: calls must neither run twice nor be lost.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import attrs

from stages.correlator.parts import solid
from stages.correlator.shapes import CALL, MESSAGE, REASONING, kind_of, meaning_of, parts_of, texts_of
from stages.correlator.track import Track
from stages.wire.lenient import text


@attrs.frozen
class Pair:
    """An item of the final object, and its track; None for a new one.

    `repeats` says that all texts of its kind were told, if maybe by other items.
    """

    item: dict[str, Any] = attrs.field(repr=False)
    track: Track | None
    repeats: bool


def pair(output: Sequence[dict[str, Any]], tracks: Sequence[Track]) -> list[Pair]:
    """Pair the items of a final object with the tracks of the stream; both in their order.

    What says only what was told is no new item, whatever the number of items.
    """
    paired: list[Track | None] = [None] * len(output)
    free = dict.fromkeys(tracks)
    for names_of_track, names_of_item, may_be in _WAYS:
        waiting: defaultdict[object, deque[Track]] = defaultdict(deque)
        for track in free:
            for name in names_of_track(track):
                waiting[track.kind, name].append(track)
        for at, item in enumerate(output):
            for name in names_of_item(item, at) if paired[at] is None else ():
                found = _next(waiting[kind_of(item), name], free, item, may_be)
                if found is not None:
                    del free[found]
                    paired[at] = found
                    break
    told = {kind: _is_told(kind, output, tracks) for kind in _TEXTS}
    made = (Pair(item, track, told.get(kind_of(item), False)) for item, track in zip(output, paired, strict=True))
    return [one for one in made if one.track is not None or not one.repeats]


def _next(waiting: deque[Track], free: dict[Track, None], item: dict[str, Any], may_be: _MayBe) -> Track | None:
    """Take the first track that is still free, if it may be this item."""
    # One comparison an item: all against all would cost the square of what a server may send.
    while waiting and waiting[0] not in free:
        waiting.popleft()
    return waiting.popleft() if waiting and may_be(waiting[0], item) else None


# -- the ways in which an item may be known, the surest first ---------------------------------


_MayBe = Callable[[Track, dict[str, Any]], bool]


def _names_of_track(track: Track) -> Iterator[object]:
    yield from (name for name in {track.who.call_id, *track.who.ids} if name)


def _names_of_item(item: dict[str, Any], _: int) -> Iterator[object]:
    yield from filter(None, (text(item.get("call_id")), text(item.get("id"))))


def _words_of_track(track: Track) -> Iterator[object]:
    if words := track.words:
        yield track.name, words


def _words_of_item(item: dict[str, Any], _: int) -> Iterator[object]:
    kind = kind_of(item)
    if kind == CALL:
        yield text(item.get("name")), meaning_of(text(item.get("arguments")))
    else:
        yield from (("", told) for told in map(_solid, _texts(kind, item)) if told)


def _place_of_track(track: Track) -> Iterator[object]:
    yield from () if track.who.index is None else (track.who.index,)


def _place_of_item(_: dict[str, Any], at: int) -> Iterator[object]:
    yield at


def _state_of_track(track: Track) -> Iterator[object]:
    yield track.received


def _unfinished(_: dict[str, Any], __: int) -> Iterator[object]:
    yield False


def _finished(_: dict[str, Any], __: int) -> Iterator[object]:
    yield True


def _grows_into(track: Track, item: dict[str, Any]) -> bool:
    return track.received or track.kind != CALL or track.fits(item)


def _fits(track: Track, item: dict[str, Any]) -> bool:
    return track.fits(item)


def _stands_for(track: Track, item: dict[str, Any]) -> bool:
    """A finished item stands for any other of its kind, but one that told nothing does not stand for one that does."""
    return bool(track.told) or track.kind not in _TEXTS or not any(map(_solid, _texts(track.kind, item)))


_WAYS: tuple[
    tuple[Callable[[Track], Iterator[object]], Callable[[dict[str, Any], int], Iterator[object]], _MayBe], ...
] = (
    (_names_of_track, _names_of_item, _grows_into),
    (_words_of_track, _words_of_item, _grows_into),
    (_place_of_track, _place_of_item, _fits),
    (_state_of_track, _unfinished, _grows_into),
    (_state_of_track, _finished, _stands_for),
)
"""By what the tracks of a kind are known, by what an item is, and what must hold besides."""

# -- what they say -----------------------------------------------------------------------------


_TEXTS = (MESSAGE, REASONING)
"""Kinds whose items may be cut otherwise in the final object: their texts are compared as one."""


def _texts(kind: str, item: dict[str, Any]) -> list[list[str]]:
    """The texts of an item, in each of the fields that may say all of it."""
    if kind == MESSAGE:
        return [[part.text for part in parts_of(item.get("content")) if not part.refusal]]
    if kind == REASONING:
        return [texts_of(item.get("summary")), texts_of(item.get("content"))]
    return [[text(item.get("arguments"))]]


def _solid(texts: Sequence[str]) -> str:
    return solid("".join(texts))


def _is_told(kind: str, output: Sequence[dict[str, Any]], tracks: Sequence[Track]) -> bool:
    """Whether the texts of a kind are, all in a row, what was told of it."""
    told = _solid([piece for track in tracks if track.kind == kind for piece in track.told])
    said = (_texts(kind, item) for item in output if kind_of(item) == kind)
    whole = _solid([piece for fields in said for piece in next((texts for texts in fields if texts), [])])
    return bool(whole) and told.startswith(whole)
