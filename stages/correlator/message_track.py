"""A message item: its texts become blocks, its refusal the answer's ending."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from stages.canonical.events import TextDelta
from stages.canonical.plan import AnswerPlan
from stages.correlator.citation_cutter import CitationCutter
from stages.correlator.ids import Ids
from stages.correlator.life import Turn
from stages.correlator.mark_cutter import MarkCutter
from stages.correlator.parts import Parts
from stages.correlator.shapes import MessagePart, parts_of
from stages.correlator.text_blocks import TextBlocks, TextEvent
from stages.correlator.track import Track
from stages.tables import citations
from stages.tools.server.code_execution import CODE_EXECUTION, file_blocks
from stages.tools.server.row import CallBlock, ToolBlocks
from stages.tools.server.web_search import WEB_SEARCH_NAME as WEB_SEARCH
from stages.wire import responses_stream
from stages.wire.lenient import text
from stages.wire.responses_stream import StreamEvent


class MessageTrack(Track):
    """A message: each of its `output_text` parts becomes a text block, its `refusal` the answer's ending.

    Where the client understands citations, a part is cut into several blocks instead, those that are cited and those
    between them.
    """

    kind = "message"

    def __init__(self, plan: AnswerPlan, item: dict[str, Any]) -> None:
        super().__init__(plan)
        self._parts = Parts()
        self._refused = Parts()
        self._blocks = TextBlocks()
        self._cites = plan.cites and (WEB_SEARCH in plan.server_tools or bool(plan.sources))
        self._cutters: dict[int, CitationCutter | MarkCutter] = {}
        self._cutter: CitationCutter | MarkCutter | None = None
        self._uncited: dict[tuple[object, ...], str] = {}
        self._odd: Counter[str] = Counter()
        self._runs_code = CODE_EXECUTION.upstream in plan.server_tools
        self._made: dict[tuple[object, ...], dict[str, Any]] = {}
        self._ids = Ids()
        self.adopt(item)

    @property
    def left_out(self) -> Counter[str]:
        """Annotations and parts that the client does not get to see, by what they are."""
        uncited = self._odd + Counter(self._uncited.values())
        return sum((cutter.left_out for cutter in self._cutters.values()), uncited)

    @property
    def told(self) -> Sequence[str]:
        """All of its text, piece by piece."""
        return self._parts.all.pieces

    @property
    def refusal(self) -> str:  # type: ignore[override] # here it is not known from the start
        """What the model said instead of answering; empty if it did not refuse."""
        return "\n\n".join(self._refused.texts)

    def enter(self, ids: Ids) -> None:
        """Learn which ids are taken."""
        self._ids = ids

    def adopt(self, item: dict[str, Any]) -> None:
        """Learn the message's phase."""
        self.phase = text(item.get("phase")) or self.phase

    def text_delta(self, event: StreamEvent) -> None:
        """Take more text of one part."""
        index, piece = event.content_index, event.delta
        if not piece:
            return
        if self._parts.go_on(index, [piece], len(piece)):
            self._write(piece)
        else:
            self._add(index, piece, begins=self._parts.begins(index))

    def text_deltas(self, events: Sequence[StreamEvent]) -> None:
        """Take more text of one part in one step; each piece leaves as it came, for cuts must not show (law 4)."""
        pieces = [event.delta for event in events if event.delta]
        size = sum(map(len, pieces))
        if self._cutter is None and self._blocks.open and self._parts.go_on(events[0].content_index, pieces, size):
            self.say_all(list(map(TextDelta, pieces)), size)
        else:
            for event in events:
                self.text_delta(event)

    def text_done(self, event: StreamEvent) -> None:
        """Take the whole text of one part."""
        if event.text:
            self._whole(event.content_index, event.text)

    def part_begun(self, _: StreamEvent) -> None:
        """Note that a part begins."""
        self._parts.boundary(begins=True)

    def annotated(self, event: StreamEvent) -> None:
        """Take an annotation of one part."""
        self._annotate(self._parts.place_of(event.content_index), responses_stream.object_in(event.annotation))

    def part_done(self, event: StreamEvent) -> None:
        """Take a whole part: what its deltas did not bring, and all of its annotations."""
        index = event.content_index
        for part in parts_of([responses_stream.object_in(event.part)]):
            if part.refusal:
                self._refuse(index, part.text)
            elif part.kind is None:
                place = self._parts.place_of(index)
                self._annotate_all(place, part)
                self._whole(index, part.text)
                if self._cutter is not None and place == len(self._parts.parts) - 1:
                    self._say_all(self._cutter.finish())

    def refusal_delta(self, event: StreamEvent) -> None:
        """Take more of a refusal."""
        if event.delta:
            index = event.content_index
            self._refused.add(index, event.delta, begins=self._refused.begins(index))

    def refusal_done(self, event: StreamEvent) -> None:
        """Take a whole refusal."""
        self._refuse(event.content_index, event.refusal or event.text or "")

    def complete(self, item: dict[str, Any], *, repeats: bool = False) -> None:
        """Take from the whole message what its deltas did not bring."""
        self.turn(Turn.RECEIVE)
        parts = parts_of(item.get("content"))
        shown = [part for part in parts if part.kind is None and not part.refusal and part.text]
        self._odd = Counter(part.kind for part in parts if part.kind is not None)
        for begins, refusal in self._refused.rest_of_whole([part.text for part in parts if part.refusal]):
            self._refused.add(None, refusal, begins=begins)
        if not self.done:
            rest = [] if repeats else self._parts.rest_of_whole([part.text for part in shown])
            self._take_rest(shown, rest)
        self.end()

    def end(self) -> None:
        """Close the open part, and name the files that code has made."""
        self._close()
        if not self.done:  # behind the text, which is where the model names its files
            self._show(file_blocks(self._made.values(), self.plan.sealing))
        self.turn(Turn.CLOSE)

    def succeeded_without_index(self) -> None:
        """End here: such servers say `done` for all items at the end, and the next one must not wait for that.

        What has told nothing yet may still say all of it there.
        """
        if self.told:
            self.end()

    def is_over(self, delta: str, *, left: bool) -> bool:  # noqa: ARG002 - texts begin with anything
        """Whether its part has ended with no other announced, and something else was told since."""
        return left and bool(self._parts.parts) and not (self._parts.open or self._parts.fresh)

    def fits(self, item: dict[str, Any]) -> bool:
        """Compare by what was said: a message that says something else is another one."""
        return self._parts.all.rest_of("".join(_shown(item))) is not None

    def says(self, item: dict[str, Any]) -> bool:
        """Compare by what was said, and nothing else."""
        return self._parts.all.equals("".join(_shown(item)))

    # -- parts ----------------------------------------------------------------------------------

    def _take_rest(self, shown: list[MessagePart], rest: list[tuple[bool, str]]) -> None:
        """Say what the whole adds, each part behind its annotations, so that it can be cut by them."""
        told = len(shown) - sum(begins for begins, _ in rest)
        for place, part in enumerate(shown[:told]):
            self._annotate_all(min(place, max(len(self._parts.parts) - 1, 0)), part)
        later = iter(shown[told:])
        for begins, piece in rest:
            if begins:
                self._annotate_all(len(self._parts.parts), next(later))
            self._add(None, piece, begins=begins)

    def _annotate_all(self, place: int, part: MessagePart) -> None:
        for annotation in part.annotations:
            self._annotate(place, annotation)

    def _annotate(self, place: int, annotation: dict[str, Any]) -> None:
        if self._runs_code and not self.done and annotation.get("type") == citations.CONTAINER_FILE:
            self._made.setdefault(citations.annotation_key(annotation), annotation)
        elif self._cites:
            self._say_all(self._cutter_of(place).cite(annotation))
        else:
            self._uncited.setdefault((place, *citations.annotation_key(annotation)), citations.name_of(annotation))

    def _show(self, files: ToolBlocks) -> None:
        """Say a call that nobody made, whose result names files."""
        ident = ""
        for part in files.parts:
            ident = self._ids.unused(part.id, "-") if isinstance(part, CallBlock) else ident
            self.say_block(part, ident)

    def _cutter_of(self, place: int) -> CitationCutter | MarkCutter:
        if place not in self._cutters:
            sources = self.plan.sources
            self._cutters[place] = MarkCutter(sources) if sources else CitationCutter()
        return self._cutters[place]

    def _refuse(self, index: int | None, refusal: str) -> None:
        begins, rest = self._refused.rest_of_part(index, refusal) if refusal else (False, "")
        if rest:
            self._refused.add(index, rest, begins=begins)
            self._refused.boundary()

    def _whole(self, index: int | None, whole: str) -> None:
        begins, rest = self._parts.rest_of_part(index, whole) if whole else (False, "")
        if rest:
            self._add(index, rest, begins=begins)
            self._parts.boundary()

    # -- text -----------------------------------------------------------------------------------

    def _add(self, index: int | None, piece: str, *, begins: bool) -> None:
        if begins:
            self._close()
            self._cutter = self._cutter_of(len(self._parts.parts)) if self._cites else None
        self._parts.add(index, piece, begins=begins)
        self._write(piece)

    def _write(self, piece: str) -> None:
        if self._cutter is not None:
            self._say_all(self._cutter.feed(piece))
        else:
            self._say_all(self._blocks.write(piece))

    def _say_all(self, said: Iterable[TextEvent]) -> None:
        for event in said:
            self.say(event, len(event.text) if isinstance(event, TextDelta) else 64)

    def _close(self) -> None:
        self._say_all(self._cutter.finish() if self._cutter is not None else self._blocks.close())
        self._blocks.forget()


def _shown(item: dict[str, Any]) -> list[str]:
    return [part.text for part in parts_of(item.get("content")) if part.kind is None and not part.refusal]
