"""A message item: its texts become blocks, its refusal the answer's ending."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

from stages.canonical.events import BLOCK_STOP, TextDelta, TextStart
from stages.canonical.plan import AnswerPlan
from stages.correlator.citation_cutter import CitationCutter, Said
from stages.correlator.track import Track
from stages.tables import citations
from stages.tools.server.web_search import NAME as WEB_SEARCH
from stages.wire import responses_stream
from stages.wire.lenient import listed, objects
from stages.wire.responses_stream import StreamEvent


class MessageTrack(Track):
    """A message: each of its `output_text` parts becomes a text block, its `refusal` the answer's ending.

    Text that is nothing but white space waits for something to see, because Anthropic's clients may not send such a
    block back.  Where the client understands citations, a part is cut into several blocks instead, those that are cited
    and those between them.
    """

    kind = "message"

    def __init__(self, plan: AnswerPlan, item: dict[str, Any]) -> None:
        super().__init__(plan)
        phase = item.get("phase")
        self.phase = phase if isinstance(phase, str) else ""
        self._part: int | None = None
        self._open = False
        self._blank: list[str] = []
        self._texts: dict[int, list[str]] = {}
        self._refusals: dict[int, str] = {}
        self._cites = plan.cites and WEB_SEARCH in plan.server_tools
        self._cutters: dict[int, CitationCutter] = {}
        self._cutter: CitationCutter | None = None
        self._uncited: dict[tuple[object, ...], str] = {}

    @property
    def left_out(self) -> Counter[str]:
        """Annotations that the client does not get to see, by what they are."""
        return sum((cutter.left_out for cutter in self._cutters.values()), Counter(self._uncited.values()))

    @property
    def refusal(self) -> str:
        """What the model said instead of answering; empty if it did not refuse."""
        return "\n\n".join(text for _, text in sorted(self._refusals.items()) if text)

    def text_delta(self, event: StreamEvent) -> None:
        """Take more text of one part."""
        self._add(event.content_index or 0, event.delta)

    def text_done(self, event: StreamEvent) -> None:
        """Take the whole text of one part."""
        self._whole(event.content_index or 0, event.text)

    def annotated(self, event: StreamEvent) -> None:
        """Take an annotation of one part."""
        self._annotate(event.content_index or 0, responses_stream.object_in(event.annotation))

    def part_done(self, event: StreamEvent) -> None:
        """Take a whole part: what its deltas did not bring, and all of its annotations."""
        index, part = event.content_index or 0, responses_stream.object_in(event.part)
        self._take_part(index, part)
        if self._cutter is not None and index == self._part:
            self._say_all(self._cutter.finish())

    def refusal_delta(self, event: StreamEvent) -> None:
        """Take more of a refusal."""
        index = event.content_index or 0
        self._refusals[index] = self._refusals.get(index, "") + event.delta

    def refusal_done(self, event: StreamEvent) -> None:
        """Take a whole refusal."""
        self._refusals[event.content_index or 0] = event.refusal or self._refusals.get(event.content_index or 0, "")

    def complete(self, item: dict[str, Any]) -> None:
        """Take from the whole message what its deltas did not bring."""
        for index, part in enumerate(listed(item.get("content"))):
            if not isinstance(part, dict):
                continue
            if part.get("type") == "refusal":
                self._refusals[index] = str(part.get("refusal") or "")
            else:
                self._take_part(index, part)
        self.end()

    def end(self) -> None:
        """Close the open part."""
        self._close()
        self.done = True

    def succeeded_without_index(self) -> None:
        """End here: such servers say `done` for all items at the end, and the next one must not wait for that."""
        self.end()

    def could_be(self, item: dict[str, Any]) -> bool:
        """Compare by what was said: a message that says something else is another one."""
        said = ["".join(parts) for _, parts in sorted(self._texts.items())]
        parts = objects(item.get("content"))
        return super().could_be(item) and said == [p.get("text") for p in parts if p.get("type") == "output_text"]

    def _take_part(self, index: int, part: dict[str, Any]) -> None:
        if part.get("type") != "output_text":
            return
        for annotation in objects(part.get("annotations")):
            self._annotate(index, annotation)
        self._whole(index, part.get("text"))

    def _annotate(self, index: int, annotation: dict[str, Any]) -> None:
        if self._cites:
            self._say_all(self._cutter_of(index).cite(annotation))
        else:
            self._uncited.setdefault((index, *citations.key_of(annotation)), citations.name_of(annotation))

    def _cutter_of(self, index: int) -> CitationCutter:
        return self._cutters.setdefault(index, CitationCutter())

    def _say_all(self, said: Iterable[Said]) -> None:
        for event in said:
            self.say(event, len(event.text) if isinstance(event, TextDelta) else 64)

    def _whole(self, index: int, text: object) -> None:
        if not isinstance(text, str):
            return
        sent = "".join(self._texts.get(index, ()))
        if len(text) > len(sent) and text.startswith(sent):
            self._add(index, text[len(sent) :])

    def _add(self, index: int, text: str) -> None:
        if not text:
            return
        if index != self._part:
            self._close()
            self._part = index
            self._cutter = self._cutter_of(index) if self._cites else None
        self._texts.setdefault(index, []).append(text)
        if self._cutter is not None:
            self._say_all(self._cutter.feed(text))
            return
        if self._open:
            self.say(TextDelta(text), len(text))
            return
        self._blank.append(text)
        if text.isspace():
            return
        self._open = True
        self.say(TextStart())
        for waiting in self._blank:
            self.say(TextDelta(waiting), len(waiting))
        self._blank.clear()

    def _close(self) -> None:
        if self._cutter is not None:
            self._say_all(self._cutter.finish())
        self._blank.clear()
        if self._open:
            self._open = False
            self.say(BLOCK_STOP)
