"""Who is who in a Responses stream: items on one side, ordered content blocks on the other.

How to think about it.  The upstream speaks of *items* (a message, a reasoning, a call), in whatever order it likes, and
repeats itself: a text comes as deltas, again in `output_text.done`, again in `output_item.done`, and again in
`completed`.  Servers leave out any of these.  The ledger keeps one `Track` per item, which knows what it has already
passed on, and a queue of tracks in order of appearance.  Only the track at the head of the queue speaks; the others
keep what they have to say until their turn.  So blocks come out whole and in order, whatever order the upstream chose.

Rules for editors:

- Which item an event is about is decided in `identity.py`, by all that it tells together; if it is none that is known,
  a new track is opened: a delta for an item never added is not lost.
- A track that was announced without an output index belongs to a server that closes all items at the very end
  (llama.cpp); there, the next item's beginning ends a text or reasoning before it, or nothing would stream.
- Reasoning stays open until its successor is known, because its carrier names the successor's phase; reasoning after a
  block waits for a successor before it speaks at all, because a trailing thinking block hides the answer in Claude
  Code.
- What waits is counted in characters, and too much of it fails the message (law 6).
- Every event costs a few look-ups, whatever the number of items: nothing here goes through all of them but the ending.

What is not here: how a track reads its item (`*_track.py`), what the final object adds (`final.py`), channels and
waiting (`actor.py`).
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import groupby, islice
from operator import attrgetter
from typing import Any

from stages.actor import Batch
from stages.canonical.events import BlockStart, BlockStop, Delta, MessageEnd
from stages.canonical.failure import Failure, Kind
from stages.canonical.plan import AnswerPlan
from stages.correlator import shapes
from stages.correlator.endings import Ending, Unpaid, end_of, failure_of_event, tells_failure
from stages.correlator.final import pair
from stages.correlator.folded import flat, unfolded
from stages.correlator.identity import Clues, Identities, clues_of
from stages.correlator.ids import Ids
from stages.correlator.notice import notice
from stages.correlator.pause import MANY, PAUSE, Pause
from stages.correlator.stream_events import CONTENT_EVENTS, IGNORED_EVENTS, MARKS, RUNS, USAGE_EVENT
from stages.correlator.summary import summary
from stages.correlator.track import Around, Content, Track
from stages.correlator.tracks import track_for
from stages.wire import json, responses_stream
from stages.wire.responses_stream import Final, StreamEvent

Part = BlockStart | Delta | Content | BlockStop | MessageEnd | Failure | Pause
"""What the ledger yields: the message in its final order; a call's arguments still as the upstream wrote them."""

MOST_ITEMS = 2**16
"""Items that one answer may have: each costs about a kilobyte until the answer ends."""

_SAME = attrgetter("type", "item_id", "output_index", "content_index", "summary_index", "halves")
# Events that agree in these belong to the same part of the same item, and say the same about it.

_AHEAD = 16
# How far a reasoning looks, at each event, for the item that follows it, past those that may never say anything.

_CUT = "The upstream closed the stream before the response was complete."
_BAD = "The upstream sent an event that cannot be read."
_MIXED = "The upstream interleaves its output more than the buffer limit allows."
_MANY = f"The upstream sent more than {MOST_ITEMS} items in one answer."


class Ledger:
    """The bookkeeping of one message; feed it every upstream event once.

    `ended` becomes true with the upstream's own ending.  One that tells no tokens is kept back until somebody does, or
    the stream is over: clients compact by them.
    """

    def __init__(self, plan: AnswerPlan, *, waiting: int = 8 * 2**20) -> None:
        """Open the books.

        Args:
            plan: how the request wants its answer read.
            waiting: characters that blocks whose turn has not come may hold in all.
        """
        self._plan = plan
        self._limit = waiting
        self._queue: deque[Track] = deque()
        self._tracks: list[Track] = []
        self._known = Identities()
        self._ids = Ids()
        self._waiting = 0
        self._answers: set[Track] = set()
        self._answered = False
        self._left_out: Counter[str] = Counter()
        self._usage: dict[str, Any] = {}
        self._unpaid: Unpaid | None = None
        self.ended = False

    def read(self, batch: Batch[StreamEvent]) -> Iterator[Part]:
        """Take one batch of upstream events; yield the parts of the message that follow from it.

        Nearly all of a stream is text of the one item whose turn it is, and nearly all of a read is one run of that:
        it is taken in one step, and what it says is handed over as it is.
        """
        first, alone = batch[0], len(batch) == 1
        if isinstance(first, Failure) or (not alone and Failure in map(type, batch)):
            return self._read_one_by_one(batch)
        grow = self._growing(first)
        if grow is None or not (alone or len(set(map(_SAME, batch))) == 1):
            return self._read_runs(batch)  # type: ignore[arg-type] # nor is any other
        head = self._queue[0]
        grow(head, batch)  # type: ignore[arg-type]
        return iter(self._taken(head))

    def _read_runs(self, batch: Sequence[StreamEvent]) -> Iterator[Part]:
        for _, alike in groupby(batch, _SAME):
            run = list(alike)
            for at, event in enumerate(run):
                if (grow := self._growing(event)) is not None:
                    head = self._queue[0]
                    grow(head, run[at:])
                    yield from self._taken(head)
                    break
                yield from self.feed(event)

    def _read_one_by_one(self, batch: Batch[StreamEvent]) -> Iterator[Part]:
        """Take events up to a failure, which ends them."""
        for event in batch:
            if isinstance(event, Failure):
                yield event
                return
            yield from self.feed(event)

    def _growing(self, event: StreamEvent) -> Callable[[Any, Sequence[StreamEvent]], None] | None:
        """How an event, and those like it behind it, add to the item whose turn it is; None for any other event."""
        run = RUNS.get(event.type)
        if run is None or event.item_id is None or not self._queue:
            return None
        head = self._queue[0]
        if self._known.named[run[0]].get(event.item_id) is not head or head.who.index != event.output_index:
            return None
        # Halves of a character take the slow way, which puts them together.
        return None if head.done or head.half is not None or event.halves or not head.may_speak else run[1]

    def feed(self, event: StreamEvent) -> Iterator[Part]:
        """Take one upstream event; yield the parts of the message that follow from it."""
        handle = CONTENT_EVENTS.get(event.type)
        if self.ended:
            yield from self._paid(event)
            return
        if handle is not None:
            yield from self._content(handle[0], handle[1], event)
            return
        rare = _RARE.get(event.type)
        if rare is not None:
            try:
                yield from rare(self, event)
            except json.MalformedJson:
                yield Failure(Kind.UPSTREAM, _BAD, cause="bad_event")
        elif event.type not in IGNORED_EVENTS:
            yield from self._unknown(event)

    def cut(self) -> Iterable[Part]:
        """Say what it means that the stream ended here: without a terminal event, or without its tokens."""
        if self._unpaid is not None:
            return (self._end(self._unpaid),)
        return (Failure(Kind.UPSTREAM, _CUT, cause="stream_cut"),)

    # -- content ------------------------------------------------------------------------------

    def _content(self, kind: str, tell: Callable[[Any, StreamEvent], None], event: StreamEvent) -> Iterator[Part]:
        track = self._known.speaker(kind, event)
        if track is not None and (track.received or (track.done and not event.delta)):
            return  # a late repetition of what was said
        if track is None or track.done:
            # A delta for an item that is over, or never was: it is told in a block of its own rather than lost.
            track = self._open(Clues(kind, event.item_id or "", index=event.output_index), {})
            self._known.claim(track, event.item_id)
        tell(track, event if not (event.halves or track.half is not None) else _whole_characters(track, event))
        if track is self._queue[0] and track.may_speak and not track.done:
            yield from self._taken(track)
        else:
            self._count(track)
            yield from self._wait_or_speak()

    def _marked(self, event: StreamEvent) -> Iterator[Part]:
        """Take what is told about a part of an item that is known."""
        kind, tell = MARKS[event.type]
        track = self._known.mentioned(kind, event)
        if track is not None and not track.done:
            if event.type.endswith("part.done"):
                track.half = None  # the whole part has what became of it
            tell(track, event)
            self._count(track)
            yield from self._wait_or_speak()

    def _open(self, clues: Clues, item: dict[str, Any], *, announced: bool = False, late: bool = False) -> Track:
        """Open a track at the end of the queue; `late` says that it tells nothing about those before it."""
        track = track_for(clues.kind, self._plan, item)
        if clues.index is None and self._queue and not late:
            self._queue[-1].succeeded_without_index()
            self._count(self._queue[-1])
        self._known.enter(track, clues, announced=announced)
        track.enter(self._ids)
        self._tracks.append(track)
        if not (track.settled and not track.spoken):  # what will never speak would hold up the queue
            self._queue.append(track)
            self._count(track)
        return track

    # -- the queue ----------------------------------------------------------------------------

    def _count(self, track: Track) -> None:
        """Note how much a track holds back, and whether it is an answer to what was thought before."""
        self._waiting += track.size - track.counted
        track.counted = track.size
        if track.spoken and track.answers:
            self._answers.add(track)

    def _taken(self, track: Track) -> list[Any]:
        said = track.take()
        self._waiting += track.size - track.counted
        track.counted = track.size
        return said

    def _wait_or_speak(self) -> Iterator[Part]:
        yield from self._advance(ended=False)
        if self._waiting > self._limit:
            yield Failure(Kind.UPSTREAM, _MIXED)
        elif len(self._tracks) > MOST_ITEMS:
            yield Failure(Kind.UPSTREAM, _MANY)

    def _advance(self, *, ended: bool) -> Iterator[Part]:
        """Let the head of the queue speak, and those behind it once it is whole."""
        while self._queue:
            head = self._queue[0]
            if not head.answers and not head.release(self._around(ended=ended)):
                return
            if ended:
                head.end()
            yield from self._taken(head)
            if not head.done:
                return
            self._queue.popleft()
            self._answers.discard(head)
            self._answered = self._answered or (head.spoken and head.answers)

    def _around(self, *, ended: bool) -> Around:
        """What reasoning at the head of the queue has to know of the others."""
        while len(self._queue) > 1 and self._queue[1].done and not self._queue[1].spoken:
            del self._queue[1]  # it will never say anything
        ahead = islice(self._queue, 1, None if ended else _AHEAD)
        successor = next((track for track in ahead if track.spoken or not (ended or track.settled)), None)
        return Around(self._answered, bool(self._answers), successor, ended)

    # -- rare events -----------------------------------------------------------------------------

    def _added(self, event: StreamEvent) -> Iterator[Part]:
        for item, clues in _items_of(event):
            known = self._known.announced(clues)
            if known is None:
                self._open(clues, item, announced=True)
            elif not known.done:
                known.adopt(item)
                known.who.announced = True
                self._known.learn(known, clues)
                self._count(known)
        yield from self._wait_or_speak()

    def _item_done(self, event: StreamEvent) -> Iterator[Part]:
        for item, clues in _items_of(event):
            track = self._known.whole(clues, item) or self._open(clues, item)
            self._known.learn(track, clues)
            self._complete(track, item)
        yield from self._wait_or_speak()

    def _complete(self, track: Track, item: dict[str, Any], *, repeats: bool = False) -> None:
        was_done = track.done
        track.complete(item, repeats=repeats)
        if not was_done:
            self._count(track)

    def _ended(self, event: StreamEvent) -> Iterator[Part]:
        self.ended = True
        final = responses_stream.final_of(event)
        final.usage = final.usage or self._usage
        ending = end_of(event.type, final, self._plan, event=event)
        if isinstance(ending, Failure):
            yield ending
            return
        if len(self._tracks) + len(final.output or ()) >= MANY:
            yield PAUSE
        # All that is known first, then the blocks' ends: what was told cannot be taken back.
        self._reconcile(ending, final)
        for track in self._queue:
            _tell_half(track)
        yield from self._advance(ended=True)
        yield from self._close(ending, event, final)

    def _cut(self, output: list[dict[str, Any]]) -> None:
        """Note where the answer was cut: what is not whole yet may be unfinished, and so may its last item."""
        for track in self._queue:
            track.cut()
        if output:
            output[-1] = {**output[-1], "status": "incomplete"}

    def _reconcile(self, ending: Ending, final: Final) -> None:
        """Take from the final object what the stream did not bring: whole items, or the rest of unfinished ones."""
        output = flat([unfolded(responses_stream.item_in(raw)) for raw in final.output or ()])
        if not ending.complete:
            self._cut(output)
        for one in pair(output, self._tracks):
            track = one.track or self._open(clues_of(one.item, StreamEvent()), one.item, late=True)
            self._complete(track, one.item, repeats=one.repeats)
        if final.output_text and not any(track.kind == shapes.MESSAGE for track in self._tracks):
            item = shapes.read({"type": shapes.MESSAGE, "content": final.output_text})
            self._complete(self._open(Clues(shapes.MESSAGE), item, late=True), item)

    def _close(self, ending: Ending, event: StreamEvent, final: Final) -> Iterator[Part]:
        """End the message; one that shows nothing of what came says so, and one without its tokens waits for them."""
        said = summary(self._tracks, self._left_out)
        end = ending.message_end(said)
        if end.stop_reason == "end_turn" and not said.spoken:
            yield from notice(self._tracks)
        self._forget()
        if final.usage:
            yield end
        else:
            self._unpaid = Unpaid(event, final, said)

    def _forget(self) -> None:
        """Let go of the items here, one by one: thousands at once, as the request ends, are a pause for everybody."""
        self._known = Identities()
        self._answers.clear()
        self._queue.clear()
        while self._tracks:
            self._tracks.pop()

    def _paid(self, event: StreamEvent) -> Iterator[Part]:
        """Take what an answer cost, which some servers tell behind its end; everything else there is a repetition."""
        unpaid = self._unpaid
        if unpaid is not None and (usage := responses_stream.final_of(event).usage):
            unpaid.final.usage = usage
            yield self._end(unpaid)

    def _end(self, unpaid: Unpaid) -> MessageEnd | Failure:
        """End a message that has waited; how many tokens it has may say why it ended."""
        ending = end_of(unpaid.event.type, unpaid.final, self._plan, event=unpaid.event)
        return ending if isinstance(ending, Failure) else ending.message_end(unpaid.said)

    def _unknown(self, event: StreamEvent) -> Iterator[Part]:
        """Take what no Responses stream has: the error of a server that knows no other way to say it, or noise."""
        self._usage = responses_stream.final_of(event).usage or self._usage
        if tells_failure(event):
            yield failure_of_event(event, self._plan)
        elif event.type != USAGE_EVENT and not (event.usage and not event.type):
            self._left_out[event.type or "untyped event"] += 1

    def _failed(self, event: StreamEvent) -> Iterator[Part]:
        yield failure_of_event(event, self._plan)


def _items_of(event: StreamEvent) -> Iterator[tuple[dict[str, Any], Clues]]:
    """The items of an event and what tells them apart; a call inside a message has no place of its own."""
    told = responses_stream.item_in(event.item)
    for item in unfolded(told):
        inside = item.get("type") == shapes.CALL != shapes.kind_of(told)
        yield item, clues_of(item, StreamEvent() if inside else event)


def _whole_characters(track: Track, event: StreamEvent) -> StreamEvent:
    """An event whose text holds no half of a character: one at its end waits for the next delta of its item."""
    text = (track.half.delta if track.half is not None else "") + event.delta
    track.half = None
    if event.type.endswith(".delta") and "\ud800" <= text[-1] <= "\udbff":  # an empty one changes nothing
        text, track.half = text[:-1], responses_stream.with_delta(event, text[-1])
    return responses_stream.with_delta(event, json.mended(text))


def _tell_half(track: Track) -> None:
    """Let an item tell the half of a character whose other half never came, which is then U+FFFD."""
    if (half := track.half) is not None and not track.done:
        track.half = None
        CONTENT_EVENTS[half.type][1](track, responses_stream.with_delta(half, json.mended(half.delta)))


_RARE: dict[str, Callable[[Ledger, StreamEvent], Iterator[Part]]] = {
    "response.output_item.added": Ledger._added,
    "response.output_item.done": Ledger._item_done,
    **dict.fromkeys(MARKS, Ledger._marked),
    "response.completed": Ledger._ended,
    "response.incomplete": Ledger._ended,
    "response.done": Ledger._ended,
    "response.failed": Ledger._ended,
    "response.cancelled": Ledger._ended,
    "error": Ledger._failed,
}
"""Events about whole items and the whole answer."""
