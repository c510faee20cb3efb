"""Who is who in a Responses stream: items on one side, ordered content blocks on the other.

How to think about it.  The upstream speaks of *items* (a message, a reasoning, a call), in whatever order it likes, and
repeats itself: a text comes as deltas, again in `output_text.done`, again in `output_item.done`, and again in
`completed`.  Servers leave out any of these.  The ledger keeps one `Track` per item, which knows what it has already
passed on, and a queue of tracks in order of appearance.  Only the track at the head of the queue speaks; the others
keep what they have to say until their turn.  So blocks come out whole and in order, whatever order the upstream chose.

Rules for editors:

- An item is found by its id, else by its output index (ids that change from event to event exist, and so do indexes
  that are always zero), else a new track is opened: a delta for an item never added is not lost.
- A track that was announced without an output index belongs to a server that closes all items at the very end
  (llama.cpp); there, the next item's beginning ends a text or reasoning before it, or nothing would stream.
- Reasoning stays open until its successor is known, because its carrier names the successor's phase; reasoning after a
  block waits for a successor before it speaks at all, because a trailing thinking block hides the answer in Claude
  Code.
- What waits is counted in characters, and too much of it fails the message (law 6).

What is not here: how a track reads its item (`*_track.py`), channels and waiting (`actor.py`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

from stages.actor import Batch
from stages.canonical.events import BlockStart, BlockStop, Delta, MessageEnd
from stages.canonical.failure import Failure, Kind
from stages.canonical.plan import AnswerPlan
from stages.correlator.call_track import CallTrack
from stages.correlator.endings import end_of, failure_of_event
from stages.correlator.message_track import MessageTrack
from stages.correlator.reasoning_track import ReasoningTrack
from stages.correlator.server_tool_track import ServerToolTrack
from stages.correlator.stream_events import CONTENT_EVENTS, IGNORED_EVENTS
from stages.correlator.summary import summary
from stages.correlator.track import Content, Track
from stages.correlator.tracks import track_for
from stages.wire import responses_stream
from stages.wire.responses_stream import StreamEvent

Part = BlockStart | Delta | Content | BlockStop | MessageEnd | Failure
"""What the ledger yields: the message in its final order; a call's arguments still as the upstream wrote them."""

_CUT = "The upstream closed the stream before the response was complete."


class Ledger:
    """The bookkeeping of one message; feed it every upstream event once.

    `ended` becomes true with the upstream's own ending.
    """

    def __init__(self, plan: AnswerPlan, *, waiting: int = 8 * 2**20) -> None:
        """Open the books.

        Args:
            plan: how the request wants its answer read.
            waiting: characters that blocks whose turn has not come may hold in all.
        """
        self._plan = plan
        self._limit = waiting
        self._queue: list[Track] = []
        self._by_id: dict[str, Track] = {}
        self._by_index: dict[int, Track] = {}
        self._spoken: list[Track] = []
        self._left_out: Counter[str] = Counter()
        self.ended = False

    def read(self, batch: Batch[StreamEvent]) -> Iterator[Part]:
        """Take one batch of upstream events; yield the parts of the message that follow from it."""
        alone = batch[0] if len(batch) == 1 else None
        return self._read_all(batch) if alone is None or isinstance(alone, Failure) else self.feed(alone)

    def _read_all(self, batch: Batch[StreamEvent]) -> Iterator[Part]:
        grown = False
        for event in batch:
            if not isinstance(event, Failure) and self._grow(event):
                grown = True
                continue
            if grown:
                yield from self._wait_or_speak()
            if isinstance(event, Failure):
                yield event
                return
            grown = False
            yield from self.feed(event)
        if grown:
            yield from self._wait_or_speak()

    def _grow(self, event: StreamEvent) -> bool:
        """Add a piece to the item whose turn it is, which is what nearly all events do; False for any other event.

        What it says then is taken once for many pieces.
        """
        handle = CONTENT_EVENTS.get(event.type)
        if handle is None or event.item_id is None or not self._queue:
            return False
        head = self._queue[0]
        if self._by_id.get(event.item_id) is not head or head.kind != handle[0] or head.done or not head.may_speak:
            return False
        handle[1](head, event)
        return True

    def feed(self, event: StreamEvent) -> Iterator[Part]:
        """Take one upstream event; yield the parts of the message that follow from it."""
        handle = CONTENT_EVENTS.get(event.type)
        if handle is not None:
            track = self._find(event, handle[0]) or self._open(handle[0], event, {})
            if track.done:
                if not event.delta or (track.received and self._by_id.get(event.item_id or "") is track):
                    return  # a late repetition of what was said
                track = self._open(handle[0], event, {})
            handle[1](track, event)
            if track is self._queue[0] and track.may_speak and not track.done:
                yield from track.take()
            else:
                yield from self._wait_or_speak()
            return
        rare = _RARE.get(event.type)
        if rare is None:
            if event.type not in IGNORED_EVENTS:
                self._left_out[event.type] += 1
            return
        yield from rare(self, event)

    def cut(self) -> Failure:
        """What it means that the stream ended here, without a terminal event."""
        return Failure(Kind.UPSTREAM, _CUT, cause="stream_cut")

    # -- finding and opening tracks --------------------------------------------------------

    def _find(self, event: StreamEvent, kind: str) -> Track | None:
        track = self._by_id.get(event.item_id) if event.item_id is not None else None
        if track is None and event.output_index is not None:
            track = self._by_index.get(event.output_index)
        if track is None and event.item_id is None and event.output_index is None:
            track = next((waiting for waiting in reversed(self._queue) if not waiting.done), None)
        return track if track is not None and track.kind == kind else None

    def _open(self, kind: str, event: StreamEvent, item: dict[str, Any]) -> Track:
        track = track_for(kind, self._plan, item)
        ident = item.get("id") or event.item_id
        if isinstance(ident, str):
            self._by_id[ident] = track
        if event.output_index is not None:
            self._by_index[event.output_index] = track
        elif self._queue:
            self._queue[-1].succeeded_without_index()
        if isinstance(track, CallTrack):
            track.claim_id({other.call_id for other in self._tracks() if isinstance(other, CallTrack)})
        self._queue.append(track)
        return track

    def _tracks(self) -> list[Track]:
        return self._spoken + self._queue

    # -- the queue ----------------------------------------------------------------------------

    def _wait_or_speak(self) -> Iterator[Part]:
        yield from self._advance(ended=False)
        waiting = sum(track.size for track in self._queue)
        if waiting > self._limit:
            yield Failure(Kind.UPSTREAM, "The upstream interleaves its output more than the buffer limit allows.")

    def _advance(self, *, ended: bool) -> Iterator[Part]:
        """Let the head of the queue speak, and those behind it once it is whole."""
        while self._queue:
            head = self._queue[0]
            if isinstance(head, ReasoningTrack) and not self._release(head, ended=ended):
                return
            if ended:
                head.end()
            yield from head.take()
            if not head.done and type(head) is not Track:  # a plain one says nothing, and may never be said to be done
                return
            self._spoken.append(self._queue.pop(0))

    def _release(self, reasoning: ReasoningTrack, *, ended: bool) -> bool:
        """Decide whether reasoning may speak, and seal it once all that its carrier needs is known."""
        rest = self._queue[1:]
        answer = next((track for track in rest if track.spoken and not isinstance(track, ReasoningTrack)), None)
        successor = next((track for track in rest if track.spoken or not (ended or track.settled)), None)
        first = not any(track.spoken and not isinstance(track, ReasoningTrack) for track in self._spoken)
        if ended and not first and answer is None:
            self._left_out["trailing reasoning"] += 1
            reasoning.discard()
        reasoning.may_speak = reasoning.may_speak or first or answer is not None
        if ended or (successor is not None and successor.spoken):
            reasoning.seal(successor.phase if isinstance(successor, MessageTrack) else "", ended=ended)
        return reasoning.may_speak or (reasoning.done and not reasoning.spoken)

    # -- rare events -----------------------------------------------------------------------------

    def _added(self, event: StreamEvent) -> Iterator[Part]:
        item = responses_stream.object_in(event.item)
        known = self._by_id.get(str(item.get("id")))
        if known is not None and not known.received:
            return  # announced twice
        self._open(str(item.get("type")), event, item)
        yield from self._wait_or_speak()

    def _item_done(self, event: StreamEvent) -> Iterator[Part]:
        item = responses_stream.object_in(event.item)
        track = self._match(item, event)
        if track is None or self._is_another(track, item):
            track = self._open(str(item.get("type")), event, item)
        self._complete(track, item)
        yield from self._wait_or_speak()

    def _is_another(self, track: Track, item: dict[str, Any]) -> bool:
        """Whether an item only shares the index of a track that has been whole before: some servers say 0 for all."""
        named = self._by_id.get(str(item.get("id"))) is track
        return track.received and not named and not track.could_be(item)

    def _complete(self, track: Track, item: dict[str, Any]) -> None:
        fresh = not track.done
        track.received = True
        if isinstance(track, ServerToolTrack):
            track.meet(self._tracks())
        track.complete(item)
        if fresh and isinstance(track, ServerToolTrack):
            self._left_out.update(track.left_out)
        elif fresh and type(track) is Track:
            self._left_out[track.kind] += 1

    def _part_told(self, event: StreamEvent) -> Iterator[Part]:
        """Take an annotation of a text, or the text with all of them."""
        track = self._find(event, MessageTrack.kind)
        if isinstance(track, MessageTrack) and not track.done:
            (track.part_done if event.part else track.annotated)(event)
            yield from self._wait_or_speak()

    def _match(self, item: dict[str, Any], event: StreamEvent) -> Track | None:
        """Find the track of an item that comes whole: by id, else by index if the kind agrees."""
        track = self._by_id.get(str(item.get("id")))
        if track is None and event.output_index is not None:
            track = self._by_index.get(event.output_index)
        return track if track is not None and track.kind == item.get("type") else None

    def _ended(self, event: StreamEvent) -> Iterator[Part]:
        self.ended = True
        final = responses_stream.decode_final(event.response)
        ending = end_of(event.type, final, self._plan)
        if isinstance(ending, Failure):
            yield ending
            return
        if ending.complete:
            self._reconcile([responses_stream.object_in(raw) for raw in final.output or ()])
        else:
            for track in self._queue:
                track.cut()
        yield from self._advance(ended=True)
        yield ending.message_end(summary(self._spoken, self._left_out))

    def _reconcile(self, output: list[dict[str, Any]]) -> None:
        """Take from the final object what the stream did not bring: whole items, or the rest of unfinished ones."""
        unmatched = self._tracks()
        for index, item in enumerate(output):
            track = self._match(item, StreamEvent(output_index=index))
            if track is None or track not in unmatched:
                track = next((other for other in unmatched if other.could_be(item)), None)
            if track is None:
                track = self._open(str(item.get("type")), StreamEvent(output_index=len(self._by_index) + index), item)
            else:
                unmatched.remove(track)
            if not track.done:
                self._complete(track, item)

    def _untyped(self, event: StreamEvent) -> Iterator[Part]:
        """Take what has no type: the error object of a server that knows no other way to say it, or noise."""
        if responses_stream.object_in(event.error):
            yield failure_of_event(event, self._plan)
        else:
            self._left_out["untyped event"] += 1

    def _failed(self, event: StreamEvent) -> Iterator[Part]:
        yield failure_of_event(event, self._plan)


_RARE: dict[str, Callable[[Ledger, StreamEvent], Iterator[Part]]] = {
    "response.output_item.added": Ledger._added,
    "response.output_item.done": Ledger._item_done,
    "response.output_text.annotation.added": Ledger._part_told,
    "response.content_part.done": Ledger._part_told,
    "response.completed": Ledger._ended,
    "response.incomplete": Ledger._ended,
    "response.done": Ledger._ended,
    "response.failed": Ledger._ended,
    "response.cancelled": Ledger._ended,
    "error": Ledger._failed,
    "": Ledger._untyped,
}
"""Events about whole items and the whole answer."""
