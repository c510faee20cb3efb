"""Who is who: the track that an event or a whole item speaks of.

How to think about it.  An upstream names an item by its `id`, a call by its `call_id` as well, and both by their place
(`output_index`).  None of these can be relied on: servers leave them out, have one id for all, call an item by its
call's id, make ids anew in each event or in the final object, and say 0 for every place.  So all that an event tells is
weighed together:

- Kinds never mix: an event about text is never about a call, whatever its id.
- A name that is known decides, unless the place says that another item has the same name.
- An unknown name at a known place is that item under another id, as long as the item may grow.
- Text under another name or place begins another item where the one that it seems to be has told all: what follows a
  whole object of arguments is no part of them.
- An event that names nothing known belongs to what was announced and not spoken of yet, else to the last item.
- A whole item is a repetition if it says what was said; otherwise, where its name or place is taken by an item that
  was whole before, it is another one.

Each question is a few look-ups; only a bounded number of tracks is compared by content.
"""

from __future__ import annotations

from collections import defaultdict, deque
from itertools import islice
from typing import Any

import attrs

from stages.correlator.shapes import CALL, kind_of
from stages.correlator.track import Track
from stages.wire.lenient import text
from stages.wire.responses_stream import StreamEvent

_COMPARED = 16
"""Tracks that an item which names nothing known is compared with, the oldest that may grow first."""


@attrs.frozen
class Clues:
    """What an item or an event tells of which item it is about; empty or None where it does not.

    Attributes:
        kind: of the item, as `shapes.kind_of` has it.
        id: the item's.
        call_id: the call's own.
        index: the place in the output.
    """

    kind: str
    id: str = ""
    call_id: str = ""
    index: int | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """By what it may be known, the surest first."""
        return tuple(name for name in (self.call_id, self.id) if name)


def clues_of(item: dict[str, Any], event: StreamEvent) -> Clues:
    """Read the clues of an item that came with an event."""
    return Clues(
        kind_of(item), text(item.get("id")) or event.item_id or "", text(item.get("call_id")), event.output_index
    )


class Identities:
    """Finds tracks by what is told of them.

    `named` is, by kind, the track that had a name last.
    """

    def __init__(self) -> None:
        """Begin with none."""
        self.named: defaultdict[str, dict[str, Track]] = defaultdict(dict)
        self._placed: defaultdict[str, dict[int, Track]] = defaultdict(dict)
        self._growing: defaultdict[str, deque[Track]] = defaultdict(deque)
        self._last: Track | None = None

    def enter(self, track: Track, clues: Clues, *, announced: bool) -> None:
        """Take a new track into the books."""
        track.who.announced = announced
        self.learn(track, clues)
        self._growing[track.kind].append(track)
        self._last = track

    def learn(self, track: Track, clues: Clues) -> None:
        """Note what else a track is known by; what two tracks have is the later one's."""
        who = track.who
        who.call_id = who.call_id or clues.call_id
        if who.index is None:
            who.index = clues.index
        for name in clues.names:
            who.ids.add(name)
            self.named[track.kind][name] = track
        if clues.index is not None:
            self._placed[track.kind][clues.index] = track

    # -- events about content -----------------------------------------------------------------

    def speaker(self, kind: str, event: StreamEvent) -> Track | None:
        """The track whose content an event is about; None if it is about an item that is not known."""
        name, index = event.item_id or None, event.output_index
        track = self._by_name(kind, name, index) if name is not None else None
        track = track or self._by_place(kind, event) or self._going_on(kind, event)
        if track is not None and event.delta and self._elsewhere(track, event):
            track = None if track.is_over(event.delta, left=track is not self._last) else track
        if track is not None and (event.delta or not track.received):
            self.claim(track, name)
        return track

    def _by_name(self, kind: str, name: str, index: int | None) -> Track | None:
        track = self.named[kind].get(name)
        if track is None or index is None or track.who.index in (None, index):
            return track
        placed = self._placed[kind].get(index)
        if placed is not None and (name in placed.who.ids or track.who.changing):
            return placed  # one name for several items
        # A name that comes again behind a whole item is another item's; before that, the place is what is wrong.
        return None if track.received else track

    def _elsewhere(self, track: Track, event: StreamEvent) -> bool:
        """Whether an event names another item than a track, or another place."""
        who, index = track.who, event.output_index
        return event.item_id not in who.ids or (who.index is not None and index is not None and index != who.index)

    def _by_place(self, kind: str, event: StreamEvent) -> Track | None:
        placed = self._placed[kind].get(event.output_index) if event.output_index is not None else None
        another = placed is not None and placed.received and event.delta
        return None if another else placed

    def _going_on(self, kind: str, event: StreamEvent) -> Track | None:
        """What an event goes on with that names nothing known.

        The first item that was announced and not spoken of yet, or the last one: under no name, of a server whose ids
        change, or of one that announces nothing.  Arguments never go on under another name.
        """
        last, nameless = self._last, not event.item_id
        if last is None or last.kind != kind or not last.life.grows or None not in (event.output_index, last.who.index):
            last = None
        if last is not None and nameless and last.who.claimed:
            return last
        for track in islice(self._grown(kind), _COMPARED):
            fresh = track.who.announced and not track.who.claimed and track.life.grows
            if fresh and None in (event.output_index, track.who.index):
                return track
        goes_on = last is not None and (nameless or last.who.changing or not (last.who.announced or kind == CALL))
        return last if goes_on else None

    def mentioned(self, kind: str, event: StreamEvent) -> Track | None:
        """The track that an event names which says nothing of its content; the last one, if it names none."""
        name, index = event.item_id, event.output_index
        track = self._by_name(kind, name, index) if name is not None else None
        if track is None and index is not None:
            track = self._placed[kind].get(index)
        if track is None and name is None and index is None and self._last is not None and self._last.kind == kind:
            track = self._last
        return track

    def claim(self, track: Track, name: str | None) -> None:
        """Note that a track was spoken of, and by what name."""
        who = track.who
        who.claimed = True
        self._last = track
        if name is not None and name not in who.ids:
            who.changing = bool(who.ids) or who.changing
            who.ids.add(name)
            self.named[track.kind][name] = track

    # -- items ----------------------------------------------------------------------------------

    def announced(self, clues: Clues) -> Track | None:
        """The track of an item that is announced, if it is known: announced before, or opened by its content."""
        for track in self._candidates(clues):
            who = track.who
            if who.call_id and clues.call_id and who.call_id != clues.call_id:
                continue
            named = not who.ids.isdisjoint(clues.names)
            moved = None not in (who.index, clues.index) and who.index != clues.index
            # Whole already: it is announced again only where its call is the same.
            if named and not moved and not (track.received and not (clues.call_id and clues.call_id == who.call_id)):
                return track
            if not named and not who.announced and not track.received and who.index == clues.index:
                return track
        return None

    def whole(self, clues: Clues, item: dict[str, Any]) -> Track | None:
        """The track of an item that has come whole; None if it is a new one."""
        for track in self._candidates(clues):
            if _same(track, clues, item):
                return track
        return self._by_content(clues, item)

    def _candidates(self, clues: Clues) -> list[Track]:
        """The tracks that an item may be, those first for which most speaks."""
        named = self.named[clues.kind]
        placed = self._placed[clues.kind].get(clues.index) if clues.index is not None else None
        found = [track for name in clues.names if (track := named.get(name)) is not None]
        if placed is not None:
            found.insert(0 if placed.who.ids.intersection(clues.names) else len(found), placed)
        return list(dict.fromkeys(found))

    def _by_content(self, clues: Clues, item: dict[str, Any]) -> Track | None:
        """A track that may grow into an item of which neither name nor place is known."""
        nameless = not clues.names and clues.index is None
        for track in islice(self._grown(clues.kind), _COMPARED):
            unnamed = not track.who.call_id if clues.call_id else nameless or not track.who.ids
            renamed = track.who.announced and track.told and not track.who.call_id
            elsewhere = None not in (clues.index, track.who.index)
            if not elsewhere and (unnamed or renamed) and track.fits(item):
                return track
            if (track.kind == CALL or not elsewhere) and track.says(item) and (track.who.claimed or track.words):
                return track
        last = self._last
        if last is not None and nameless and last.kind == clues.kind and last.received and last.says(item):
            return last
        return None

    def _grown(self, kind: str) -> deque[Track]:
        """The tracks of a kind whose whole has not come, the oldest first."""
        growing = self._growing[kind]
        while growing and growing[0].received:
            growing.popleft()
        return growing


def _same(track: Track, clues: Clues, item: dict[str, Any]) -> bool:
    """Whether a whole item is that of a track which shares a name or a place with it."""
    who = track.who
    by_id = _agree(clues.id in who.ids if clues.id and who.ids else None)
    by_place = _agree(None if None in (who.index, clues.index) else who.index == clues.index)
    by_call = _agree(who.call_id == clues.call_id if who.call_id and clues.call_id else None)
    # A call's own id is the surest clue; only where all else speaks against it does it name two calls.
    if by_call > 0 and (by_id >= 0 or by_place >= 0):
        return True
    # Whole already: the same one again must stand where it stood, or say what it said.
    if track.received and by_id < 0:
        return by_call == 0 and by_place > 0 and track.says(item)
    if track.received:
        return by_call == 0 and by_place >= 0 and track.fits(item)
    # Ids are made anew by some servers, so another one is a doubt and no proof: the content decides.
    if by_call < 0:
        return by_place >= 0 and by_id + by_place > 0 and track.fits(item)
    contradicted = by_id < 0 or by_place < 0
    return track.fits(item) if contradicted else True


def _agree(same: bool | None) -> int:  # noqa: FBT001 - it is what is asked about
    return 0 if same is None else 1 if same else -1
