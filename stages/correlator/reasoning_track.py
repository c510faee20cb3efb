"""A reasoning item: one thinking block, closed by the carrier that brings the item back."""

from __future__ import annotations

from typing import Any

from stages.canonical.events import BLOCK_STOP, SignatureDelta, ThinkingDelta, ThinkingStart
from stages.canonical.plan import AnswerPlan, ThinkingDisplay
from stages.correlator.track import Track
from stages.wire import carrier
from stages.wire.carrier import Carrier
from stages.wire.responses_stream import StreamEvent


class ReasoningTrack(Track):
    """A reasoning item: one thinking block of its summary parts, closed by the carrier that brings it back."""

    kind = "reasoning"

    def __init__(self, plan: AnswerPlan, item: dict[str, Any]) -> None:
        super().__init__(plan)
        self.may_speak = False
        self._item = item
        self._parts: dict[tuple[str, int], list[str]] = {}
        self._open = False
        self._whole = False
        self._sealed = False
        if item.get("encrypted_content"):
            self._begin()  # the carrier is certain, and an open block can be kept alive through long silence

    def summary_delta(self, event: StreamEvent) -> None:
        """Take more text of a summary part."""
        self._add(("summary", event.summary_index or 0), event.delta)

    def raw_delta(self, event: StreamEvent) -> None:
        """Take more text of the reasoning itself."""
        self._add(("content", event.content_index or 0), event.delta)

    def summary_done(self, event: StreamEvent) -> None:
        """Take the whole text of a summary part."""
        self._rest(("summary", event.summary_index or 0), event.text)

    def raw_done(self, event: StreamEvent) -> None:
        """Take the whole text of a part of the reasoning itself."""
        self._rest(("content", event.content_index or 0), event.text)

    def complete(self, item: dict[str, Any]) -> None:
        """Take the whole item; the first time its sealed content counts, and never again: each event seals it anew."""
        self._item, self._sealed = (self._item if self._sealed else item), True
        for field in ("summary", "content"):
            parts = item.get(field)
            for index, part in enumerate(parts if isinstance(parts, list) else ()):
                self._rest((field, index), part.get("text") if isinstance(part, dict) else None)
        self._whole = True
        if self._item.get("encrypted_content"):
            self._begin()

    @property
    def settled(self) -> bool:
        """Whether it is known by now if this item will become a block: once it is whole, and not only when sealed."""
        return self._whole or super().settled

    def succeeded_without_index(self) -> None:
        """End here, as for text."""
        self._whole = True

    def seal(self, phase: str, *, ended: bool = False) -> None:
        """Close the block with its carrier, if the item is whole.

        Args:
            phase: that of the message which follows.
            ended: whether the answer is over, so that the item is as whole as it will ever be.
        """
        if self.done or not (self._whole or ended):
            return
        self.done = True
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
        self.done = True

    def _carrier(self, phase: str) -> Carrier:
        texts = tuple("".join(parts) for _, parts in sorted(self._parts.items()))
        shown = self.plan.thinking is ThinkingDisplay.SHOWN
        return Carrier(
            id=str(self._item.get("id") or ""),
            encrypted_content=str(self._item.get("encrypted_content") or ""),
            summary=tuple(map(len, texts)) if shown else (),
            texts=() if shown else texts,
            raw=any(field == "content" for field, _ in self._parts),
            phase=phase,
            model=self.plan.upstream_model,
            account=self.plan.account,
        )

    def _add(self, part: tuple[str, int], text: str) -> None:
        if not text:
            return
        self._begin()
        separator = carrier.SEPARATOR if self._parts and part not in self._parts else ""
        self._parts.setdefault(part, []).append(text)
        if self.plan.thinking is ThinkingDisplay.SHOWN:
            if separator:
                self.say(ThinkingDelta(separator))
            self.say(ThinkingDelta(text), len(text))

    def _rest(self, part: tuple[str, int], text: object) -> None:
        sent = "".join(self._parts.get(part, ()))
        if isinstance(text, str) and len(text) > len(sent) and text.startswith(sent):
            self._add(part, text[len(sent) :])

    def _begin(self) -> None:
        if not self._open and self.plan.thinking is not ThinkingDisplay.NONE:
            self._open = True
            self.say(ThinkingStart())
