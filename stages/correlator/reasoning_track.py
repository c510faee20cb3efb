"""A reasoning item: one thinking block, closed by the carrier that brings the item back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from stages.canonical.events import BLOCK_STOP, SignatureDelta, ThinkingDelta, ThinkingStart
from stages.canonical.plan import AnswerPlan, ThinkingDisplay
from stages.correlator.life import Life, Turn
from stages.correlator.parts import Parts
from stages.correlator.shapes import texts_of
from stages.correlator.track import Around, Track
from stages.wire import carrier
from stages.wire.carrier import Carrier
from stages.wire.lenient import text
from stages.wire.responses_stream import StreamEvent

SUMMARY, CONTENT = "summary", "content"
"""The two fields in which an item of reasoning says its text."""


class ReasoningTrack(Track):
    """A reasoning item: one thinking block of its parts, closed by the carrier that brings it back.

    Servers say the same text as summary and as content.  The field that speaks first is the voice of the item; what the
    other one says waits for the whole item, and is told only as far as the voice did not tell it.
    """

    kind = "reasoning"
    answers = False

    def __init__(self, plan: AnswerPlan, item: dict[str, Any]) -> None:
        super().__init__(plan)
        self.may_speak = False
        self._item = item
        self._sealed = False
        self._voice = ""
        self._raw = False
        self._fields = {SUMMARY: Parts(), CONTENT: Parts()}
        self._open = False
        self._discarded = False
        self.adopt(item)

    @property
    def left_out(self) -> Counter[str]:
        """The item itself, if nothing followed it."""
        return Counter({"trailing reasoning": 1}) if self._discarded else Counter()

    @property
    def told(self) -> Sequence[str]:
        """All of its text, piece by piece."""
        return self._fields[self._voice or SUMMARY].all.pieces

    @property
    def settled(self) -> bool:
        """Whether it is known by now if this item will become a block: once it is whole, and not only when sealed."""
        return self.life is not Life.OPEN or super().settled

    def adopt(self, item: dict[str, Any]) -> None:
        """Learn that the item is sealed: the carrier is certain, and an open block is kept alive in long silence."""
        self._item = self._item or item
        if item.get("encrypted_content"):
            self._begin()

    def summary_delta(self, event: StreamEvent) -> None:
        """Take more text of a summary part."""
        self._grow(SUMMARY, event.summary_index, event.delta)

    def raw_delta(self, event: StreamEvent) -> None:
        """Take more text of the reasoning itself."""
        self._grow(CONTENT, event.content_index, event.delta)

    def summary_deltas(self, events: Sequence[StreamEvent]) -> None:
        """Take more text of one summary part in one step."""
        for event in events:
            self.summary_delta(event)

    def raw_deltas(self, events: Sequence[StreamEvent]) -> None:
        """Take more of one part of the reasoning itself in one step."""
        for event in events:
            self.raw_delta(event)

    def summary_done(self, event: StreamEvent) -> None:
        """Take the whole text of a summary part."""
        self._whole(SUMMARY, event.summary_index, event.text)

    def raw_done(self, event: StreamEvent) -> None:
        """Take the whole text of a part of the reasoning itself."""
        self._whole(CONTENT, event.content_index, event.text)

    def summary_begun(self, _: StreamEvent) -> None:
        """Note that a summary part begins."""
        self._fields[SUMMARY].boundary(begins=True)

    def summary_ended(self, _: StreamEvent) -> None:
        """Note that a summary part ends."""
        self._fields[SUMMARY].boundary()

    def raw_begun(self, _: StreamEvent) -> None:
        """Note that a part of the reasoning itself begins."""
        self._fields[CONTENT].boundary(begins=True)

    def raw_ended(self, _: StreamEvent) -> None:
        """Note that a part of the reasoning itself ends."""
        self._fields[CONTENT].boundary()

    def complete(self, item: dict[str, Any], *, repeats: bool = False) -> None:
        """Take the whole item; the first time its sealed content counts, and never again: each event seals it anew."""
        self._item, self._sealed = (self._item if self._sealed else item), True
        if not (self.done or repeats):
            wholes = {field: texts_of(item.get(field)) for field in self._fields}
            first = self._voice or (SUMMARY if wholes[SUMMARY] else CONTENT)
            for field in (first, *(field for field in self._fields if field != first)):
                for begins, piece in self._fields[field].rest_of_whole(wholes[field]):
                    self._add(field, None, piece, begins=begins)
        self.turn(Turn.RECEIVE)
        if self._item.get("encrypted_content"):
            self._begin()

    def fits(self, item: dict[str, Any]) -> bool:
        """Compare by what was said, in either field."""
        wholes = {field: texts_of(item.get(field)) for field in self._fields}
        if not any(wholes.values()):
            return True
        said = self._fields[self._voice] if self._voice else Parts()
        return any(said.fits(texts) for texts in wholes.values() if texts)

    def says(self, item: dict[str, Any]) -> bool:
        """Compare by what was said, or by the seal where nothing was."""
        if not self._voice:
            return item.get("encrypted_content") == self._item.get("encrypted_content")
        return any(self._fields[self._voice].all.equals("".join(texts_of(item.get(field)))) for field in self._fields)

    def succeeded_without_index(self) -> None:
        """End here, as for text."""
        self.turn(Turn.SUCCEED)

    def release(self, around: Around) -> bool:
        """Speak before an answer, or where none was: as the last block, reasoning would hide the answer.

        It is sealed once all that its carrier needs is known, which is the phase of what follows.
        """
        if around.ended and around.answered and not around.answer:
            self.discard()
        self.may_speak = self.may_speak or not around.answered or around.answer
        successor = around.successor
        if around.ended or (successor is not None and successor.spoken):
            self.seal(successor.phase if successor is not None else "", ended=around.ended)
        return self.may_speak or (self.done and not self.spoken)

    def seal(self, phase: str, *, ended: bool = False) -> None:
        """Close the block with its carrier, if the item is whole.

        Args:
            phase: that of the message which follows.
            ended: whether the answer is over, so that the item is as whole as it will ever be.
        """
        if self.done or (self.life is Life.OPEN and not ended):
            return
        self._tell_both()
        self.turn(Turn.CLOSE)
        sealed = self._carrier(phase)
        if not self._open and not sealed.encrypted_content:
            return  # neither summary nor carrier: nothing to show and nothing to bring back
        self._begin()
        if self._open:
            self.say(SignatureDelta(carrier.encode(sealed)))
            self.say(BLOCK_STOP)

    def end(self) -> None:
        """Close the block even if the item never became whole, as a cut answer may have it."""
        self.seal("", ended=True)

    def discard(self) -> None:
        """Say nothing of this reasoning."""
        self._said.clear()
        self.spoken = False
        self.turn(Turn.CLOSE)
        self._discarded = True

    def _carrier(self, phase: str) -> Carrier:
        texts = tuple(self._fields[self._voice].texts) if self._voice else ()
        shown = self.plan.thinking is ThinkingDisplay.SHOWN
        return Carrier(
            id=text(self._item.get("id")),
            encrypted_content=text(self._item.get("encrypted_content")),
            summary=tuple(map(len, texts)) if shown else (),
            texts=() if shown else texts,
            raw=self._raw,
            phase=phase,
            model=self.plan.upstream_model,
            account=self.plan.account,
        )

    # -- text -----------------------------------------------------------------------------------

    def _grow(self, field: str, index: int | None, piece: str) -> None:
        if piece:
            self._add(field, index, piece, begins=self._fields[field].begins(index))

    def _whole(self, field: str, index: int | None, whole: str | None) -> None:
        parts = self._fields[field]
        begins, rest = parts.rest_of_part(index, whole) if whole else (False, "")
        if rest:
            self._add(field, index, rest, begins=begins)
            parts.boundary()

    def _add(self, field: str, index: int | None, piece: str, *, begins: bool) -> None:
        parts = self._fields[field]
        self._voice = self._voice or field
        parts.add(index, piece, begins=begins)
        if field != self._voice:
            self.size += len(piece)  # it waits
            return
        self._raw = self._raw or field == CONTENT
        self._begin()
        if self.plan.thinking is ThinkingDisplay.SHOWN:
            if begins and len(parts.parts) > 1:
                self.say(ThinkingDelta(carrier.SEPARATOR))
            self.say(ThinkingDelta(piece), len(piece))

    def _tell_both(self) -> None:
        """Tell what the second field adds to the first: nothing if it said the same, all if it said something else."""
        if not self._voice:
            return
        voice, other = self._fields[self._voice], self._fields[CONTENT if self._voice == SUMMARY else SUMMARY]
        if voice.fits(other.texts):
            rest = voice.rest_of_whole(other.texts)
        else:
            self._raw = True
            rest = [(True, words) for words in other.texts]
        for begins, piece in rest:
            self._add(self._voice, None, piece, begins=begins)

    def _begin(self) -> None:
        if not self._open and self.plan.thinking is not ThinkingDisplay.NONE:
            self._open = True
            self.say(ThinkingStart())
