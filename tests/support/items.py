"""Hypothesis strategies for the items of a Responses stream, each with the content block that it must become.

Servers leave out events, repeat themselves, and number or name things in their own ways; what stays true is that every
piece of content comes at least once.  `Style` is how a server numbers, `Item` one item as it speaks.
"""

from __future__ import annotations

import json
import re
from functools import cache
from itertools import product, starmap
from typing import Any

import attrs
from hypothesis import strategies as st

Event = dict[str, Any]
Block = dict[str, Any]


@attrs.frozen
class Style:
    """How a server tells its items apart.

    Attributes:
        ids: `stable`, `changing` (another one in each event) or `none`.
        indexes: `counted`, `zero` (always 0) or `none`.
        late: whether `output_item.done` of all items comes at the very end, as llama.cpp sends it.
    """

    ids: str = "stable"
    indexes: str = "counted"
    late: bool = False


STYLES = (
    Style(),
    Style(),
    Style(ids="changing"),
    Style(ids="none"),
    Style(indexes="zero"),
    Style(indexes="none", late=True),
)
"""Measured ways; OpenAI's own stands twice, since it is the common one."""


@attrs.frozen
class Item:
    """One item of an answer.

    Attributes:
        events: what is said of it, in order; its last one may be sent late.
        final: how the terminal event lists it.
        blocks: the content blocks it must become.
        refusal: its words of refusal.
        phase: the phase that whoever thought before it must remember.
        hidden: whether it appears in the terminal event alone.
        cut: whether a limit stopped the answer inside it.
    """

    events: tuple[Event, ...]
    final: Event
    blocks: tuple[Block, ...] = ()
    refusal: str = ""
    phase: str = ""
    hidden: bool = False
    cut: bool = False


@attrs.frozen
class Sources:
    """Which of its four chances an item uses to say its content, and whether it was announced."""

    added: bool
    deltas: bool
    done: bool
    item: bool

    @property
    def hidden(self) -> bool:
        """Whether nothing but the terminal event tells of the item."""
        return not (self.added or self.deltas or self.done or self.item)


@cache
def sources(style: Style, *, listed: bool) -> st.SearchStrategy[Sources]:
    """Draw the sources of an item; `listed` says that the terminal event will list it in any case.

    One draw of a table instead of four that are then looked at: the laws draw ten thousand of them.
    """

    def enough(said: Sources) -> bool:
        if style.late:
            return said.deltas and said.added
        if style.indexes == "zero" and not said.added:
            return False  # an unknown id under an index that is known could be the same item, or another one
        return (listed or said.deltas or said.done or said.item) and (said.added or said.item or said.hidden)

    often, seldom = (True, True, True, False), (True, False)
    return st.sampled_from([said for said in starmap(Sources, product(often, often, seldom, often)) if enough(said)])


texts = st.text(max_size=24) | st.sampled_from(("data: {}\n\nevent: x", "\r\n \u2028", '"\\', "🙂", "  \n", "0"))
"""Texts with everything in them that a frame might trip over."""


def full(strategy: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Keep the texts that show something."""
    return strategy.filter(lambda text: bool(text.strip()) and not text.isspace())


@cache
def _cuts(length: int) -> st.SearchStrategy[list[int]]:
    return st.lists(st.integers(0, length), max_size=4)


@st.composite
def pieces(draw: st.DrawFn, text: str) -> list[str]:
    """Cut a text into deltas, some of them empty."""
    cuts = sorted(draw(_cuts(len(text))))
    return [text[a:b] for a, b in zip([0, *cuts], [*cuts, len(text)], strict=True)]


class _Speaker:
    """Writes the events of one item in a style."""

    def __init__(self, style: Style, index: int, ident: str) -> None:
        self._style = style
        self._index = index
        self._ident = ident
        self.events: list[Event] = []

    def ident(self) -> str | None:
        if self._style.ids == "none":
            return None
        return f"{self._ident}x{len(self.events)}" if self._style.ids == "changing" else self._ident

    def say(self, kind: str, **fields: Any) -> None:
        event: Event = {"type": f"response.{kind}", **fields}
        if "item" not in event and (ident := self.ident()) is not None:
            event["item_id"] = ident
        if self._style.indexes != "none":
            event["output_index"] = self._index if self._style.indexes == "counted" else 0
        self.events.append(event)

    def whole(self, kind: str, item: Event) -> None:
        ident = self.ident()
        self.say(kind, item=item if ident is None else {"id": ident, **item})

    def listed(self, item: Event) -> Event:
        ident = self.ident()
        return item if ident is None else {"id": ident, **item}


_PHASES = st.sampled_from(("", "commentary", "final_answer"))
_PARTS = st.lists(st.tuples(st.sampled_from(("text", "text", "text", "refusal")), texts), min_size=1, max_size=2)
# Made once, like all that does not depend on what was drawn: to make a strategy takes longer than to draw from it.


@st.composite
def messages(draw: st.DrawFn, style: Style, index: int, *, listed: bool) -> Item:
    """Draw a message of one or two parts, texts or refusals."""
    said = draw(sources(style, listed=listed))
    phase = draw(_PHASES) if said.added or not said.deltas else ""
    if not said.added and said.done:
        phase = ""
    parts = draw(_PARTS)
    speaker = _Speaker(style, index, f"msg_{index}")
    body: Event = {"type": "message", "role": "assistant"} | ({"phase": phase} if phase else {})
    if said.added:
        speaker.whole("output_item.added", {**body, "content": []})
    for at, (kind, text) in enumerate(parts):
        name = "output_text" if kind == "text" else "refusal"
        if said.added or (at and said.deltas):  # an index alone is no sign of a part: some servers count deltas with it
            speaker.say("content_part.added", content_index=at, part={"type": name})
        if said.deltas:
            for piece in draw(pieces(text)):
                speaker.say(f"{name}.delta", content_index=at, delta=piece)
        if said.done:
            speaker.say(f"{name}.done", content_index=at, **{kind: text})
    content = [{"type": "output_text" if kind == "text" else "refusal", kind: text} for kind, text in parts]
    whole = {**body, "content": content}
    if said.item:
        speaker.whole("output_item.done", whole)
    blocks = tuple(
        {"type": "text", "text": text} for kind, text in parts if kind == "text" and text and not text.isspace()
    )
    refusal = "\n\n".join(text for kind, text in parts if kind == "refusal" and text)
    return Item(tuple(speaker.events), speaker.listed(whole), blocks, refusal, phase if blocks else "", said.hidden)


_RAW = st.lists(full(texts), max_size=1)
_SUMMARIES = st.lists(full(texts), max_size=3)


@st.composite
def reasonings(draw: st.DrawFn, style: Style, index: int, *, listed: bool) -> Item:
    """Draw reasoning of up to three parts, sealed or not; its seal counts as of the last event that shows it."""
    said = draw(sources(style, listed=listed))
    raw = draw(st.booleans()) if not style.late else True
    sealed = draw(st.booleans()) and not style.late
    parts = draw(_RAW if raw else _SUMMARIES)
    speaker = _Speaker(style, index, f"rs_{index}")
    field, event, place = ("content", "reasoning_text", "content_index") if raw else _SUMMARY

    def item(seal: str, shown: list[str]) -> Event:
        body: Event = {"type": "reasoning", "summary": [], "encrypted_content": f"{seal}-{index}" if sealed else None}
        kind = "reasoning_text" if raw else "summary_text"
        return body | {field: [{"type": kind, "text": text} for text in shown]}

    if said.added:
        speaker.whole("output_item.added", item("early", []))
    for at, text in enumerate(parts):
        if at and said.deltas:
            speaker.say(event.replace("_text", "_part") + ".added", **{place: at})
        if said.deltas:
            for piece in draw(pieces(text)):
                speaker.say(f"{event}.delta", **{place: at}, delta=piece)
        if said.done:
            speaker.say(f"{event}.done", **{place: at}, text=text)
    if said.item:
        speaker.whole("output_item.done", item("done", parts))
    seal = ("done" if said.item else "listed" if listed else "early") if sealed else ""
    if seal == "early" and not said.added:
        seal = ""
    sealing = f"{seal}-{index}" if seal else ""
    block = {"type": "thinking", "parts": parts, "sealed": sealing, "raw": raw and bool(parts)}
    blocks = (block,) if parts or sealing else ()
    return Item(tuple(speaker.events), speaker.listed(item("listed", parts)), blocks, hidden=said.hidden)


_SUMMARY = ("summary", "reasoning_summary_text", "summary_index")


_BROKEN_PAIR = re.compile(r"(?P<before>(?<!\\)(?:\\\\)*)\\ud[89ab][0-9a-f]{2}(?P<begun>(?:\\(?:u[0-9a-f]{0,3})?)?)\Z")
# Where a cut went through a character that is spelt as two escapes: a half is no Unicode, and U+FFFD stands for it.


_NAMES = st.sampled_from(("Bash", "get_weather", "mcp__a__b"))
_VALUES = st.dictionaries(st.text(max_size=6), st.text(max_size=12) | st.integers(0, 9) | st.none(), max_size=3)
_NO_ARGUMENTS = st.sampled_from(("", "{}"))


@st.composite
def calls(draw: st.DrawFn, style: Style, index: int, *, listed: bool, cut: bool = False) -> Item:
    """Draw a call; `cut` lets its arguments stop anywhere, as they do where a limit stops the answer."""
    said = Sources(added=True, deltas=True, done=False, item=False) if cut else draw(sources(style, listed=listed))
    name = draw(_NAMES)
    value = draw(_VALUES)
    arguments = json.dumps(value, ensure_ascii=draw(st.booleans())) if value else draw(_NO_ARGUMENTS)
    arguments = arguments[: draw(st.integers(0, len(arguments)))] if cut else arguments
    speaker = _Speaker(style, index, f"fc_{index}")
    body: Event = {"type": "function_call", "name": name, "call_id": f"call_{index}abc"}
    if said.added:
        speaker.whole("output_item.added", {**body, "arguments": ""})
    if said.deltas:
        for piece in draw(pieces(arguments)):
            speaker.say("function_call_arguments.delta", delta=piece)
    if said.done:
        speaker.say("function_call_arguments.done", arguments=arguments)
    if said.item:
        speaker.whole("output_item.done", {**body, "arguments": arguments})
    told = _BROKEN_PAIR.sub(r"\g<before>\\ufffd\g<begun>", arguments) if cut else arguments
    block = {"type": "tool_use", "id": f"toolu_call_{index}abc", "name": name, "partial_json": told}
    final = speaker.listed({**body, "arguments": arguments})
    return Item(tuple(speaker.events), final, (block,), hidden=said.hidden, cut=cut)


@st.composite
def unknowns(draw: st.DrawFn, style: Style, index: int, *, listed: bool) -> Item:
    """Draw an item that has no counterpart, with events of its own."""
    kind = draw(st.sampled_from(("web_search_call", "some_future_item", "mcp_list_tools")))
    speaker = _Speaker(style, index, f"ws_{index}")
    speaker.whole("output_item.added", {"type": kind, "status": "in_progress"})
    speaker.say(f"{kind}.searching")
    if listed or draw(st.booleans()):
        speaker.whole("output_item.done", {"type": kind, "status": "completed", "text": "nobody reads this"})
    return Item(tuple(speaker.events), speaker.listed({"type": kind, "status": "completed"}))


def parts_of(item: dict[str, Any]) -> list[dict[str, Any]]:
    """The parts of a message that goes up; a plain string, as an assistant's text is spelt, is one part."""
    content = item["content"]
    if isinstance(content, str):
        return [{"type": "output_text", "text": content, "annotations": []}]
    parts: list[dict[str, Any]] = content
    return parts
