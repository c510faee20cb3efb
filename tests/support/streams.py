"""Hypothesis strategies for whole Responses streams, together with the Anthropic message that each must become."""

from __future__ import annotations

from collections.abc import Sequence

import attrs
from hypothesis import strategies as st

from stages.wire import carrier
from tests.support.grammar import Told
from tests.support.items import STYLES, Block, Event, Item, Style, calls, messages, reasonings, texts, unknowns
from tests.support.upstream import events as frame

COMPLETED, INCOMPLETE, FAILED = "completed", "incomplete", "failed"
"""How an answer can end: whole, cut by a limit or a filter, or not at all well."""

_NOISE: tuple[Event, ...] = (
    {"type": "keepalive", "sequence_number": 0},
    {"type": "response.created", "response": {"id": "resp_1", "status": "in_progress", "output": []}},
    {"type": "response.in_progress", "response": {"id": "resp_1", "status": "in_progress"}},
    {"type": "response.some_future.event", "item_id": "nobody", "delta": "ignore me"},
    {"type": "response.output_text.annotation.added", "item_id": "msg_0", "annotation": {}},
)
_NOISES = st.lists(st.sampled_from(_NOISE), max_size=4)
_USAGE = st.tuples(*(st.integers(0, 300) for _ in range(5)))
_KINDS = st.lists(st.sampled_from((reasonings, messages, calls, unknowns)), max_size=6)
_NOTICE = "[The upstream's answer consists of what cannot be shown here: "
# What is said where nothing came but items without counterpart.
_STOPS = {"max_output_tokens": "max_tokens", "content_filter": "refusal", "some_new_reason": None}


@attrs.frozen
class Stream:
    """One answer of an upstream.

    Attributes:
        items: the items, in the order of their numbers.
        events: all that is sent.
        content: the blocks it must become; of a failing one, the blocks it may have begun to become.
        stop_reason: how the message must end; None when it must fail.
        explanation: the words of a refusal.
        usage: the upstream's own numbers: input, cached, written, output, reasoning.
        status: the ending's kind.
    """

    items: tuple[Item, ...]
    events: tuple[Event, ...]
    content: tuple[Block, ...]
    stop_reason: str | None
    explanation: str
    usage: tuple[int, int, int, int, int]
    status: str

    @property
    def body(self) -> bytes:
        """The stream's bytes, framed as OpenAI frames them."""
        return frame(*self.events)

    @property
    def head(self) -> tuple[Event, ...]:
        """All but the ending."""
        return self.events[:-1]


@st.composite
def streams(draw: st.DrawFn, *, statuses: Sequence[str] = (COMPLETED, COMPLETED, INCOMPLETE, FAILED)) -> Stream:
    """Draw a stream whose items' events are interleaved as far as its style allows."""
    style, status = draw(st.sampled_from(STYLES)), draw(st.sampled_from(statuses))
    listed = status == COMPLETED and draw(st.booleans())
    items = tuple(draw(_items(style, listed=listed, cut=status == INCOMPLETE)))
    body = _sequential(items) if style.late else draw(interleaved(items))
    if status == FAILED:
        body = body[: draw(st.integers(0, len(body)))]
    for noise in draw(_NOISES):
        body.insert(draw(st.integers(0, len(body))), noise)
    usage = draw(_USAGE)
    ending = draw(_ending(status, items, usage, listed=listed))
    ordered = order_of(body, items)
    return Stream(
        items=items,
        events=(*body, *ending),
        content=tuple(content_of(ordered, failing=status == FAILED)),
        stop_reason=_stop_reason(status, ending, ordered),
        explanation="\n\n".join(item.refusal for item in ordered if item.refusal),
        usage=usage,
        status=status,
    )


@st.composite
def _items(draw: st.DrawFn, style: Style, *, listed: bool, cut: bool) -> list[Item]:
    kinds = draw(_KINDS)
    items: list[Item] = [draw(kind(style, index, listed=listed)) for index, kind in enumerate(kinds)]
    if cut and draw(st.booleans()):
        items.append(draw(calls(style, len(items), listed=False, cut=True)))
    return items


@st.composite
def interleaved(draw: st.DrawFn, items: Sequence[Item]) -> list[Event]:
    """Mix the events of items in any way that keeps each item's own order; a cut one can only be the last."""
    slots = [index for index, item in enumerate(items) for _ in item.events if not item.cut]
    queues = [iter(item.events) for item in items]
    mixed = [next(queues[index]) for index in draw(st.permutations(slots))]
    return mixed + [event for item in items if item.cut for event in item.events]


def _sequential(items: Sequence[Item]) -> list[Event]:
    """One item after another, with all the `done`s at the end: what a server without numbers has to do."""
    done = [event for item in items for event in item.events if event["type"] == "response.output_item.done"]
    return [event for item in items for event in item.events if event not in done] + done


def order_of(body: Sequence[Event], items: Sequence[Item]) -> list[Item]:
    """The items in the order in which they appear; hidden ones last."""

    def first(item: Item) -> int:
        places = (at for at, event in enumerate(body) if any(event is own for own in item.events))
        return next(places, len(body))

    shown = sorted((item for item in items if not item.hidden and first(item) < len(body)), key=first)
    return shown + [item for item in items if item.hidden]


def content_of(ordered: Sequence[Item], *, failing: bool = False) -> list[Block]:
    """The blocks of a message: each thought knows the phase of what it led to; none stands last after an answer."""
    told = [item for item in ordered if item.blocks]
    content = []
    for item, following in zip(told, [*told[1:], None], strict=False):
        phase = following.phase if following is not None else ""
        content += [b | {"phase": phase} if b["type"] == "thinking" else b for b in item.blocks]
    if not failing and any(block["type"] != "thinking" for block in content):
        while content[-1]["type"] == "thinking":
            content.pop()
    return content


@st.composite
def _ending(
    draw: st.DrawFn, status: str, items: Sequence[Item], usage: tuple[int, ...], *, listed: bool
) -> list[Event]:
    if status == FAILED:
        return list(draw(st.sampled_from(FAILURES)))
    read, written, rest, output, thought = usage
    response: Event = {
        "id": "resp_1",
        "status": status,
        "output": [item.final for item in items] if listed else draw(st.sampled_from(([], None))),
        "usage": {
            "input_tokens": read + written + rest,
            "input_tokens_details": {"cached_tokens": read, "cache_write_tokens": written},
            "output_tokens": output + thought,
            "output_tokens_details": {"reasoning_tokens": thought},
        },
    }
    if status == INCOMPLETE:
        response["incomplete_details"] = {"reason": draw(st.sampled_from(sorted(_STOPS)))}
    return [{"type": f"response.{status}", "response": response}]


FAILURES: tuple[tuple[Event, ...], ...] = (
    (),
    ({"type": "error", "error": {"type": "server_error", "code": "server_error", "message": "It broke."}},),
    ({"type": "error", "code": "rate_limit_exceeded", "message": "Slow down.", "param": None},),
    (
        {
            "type": "response.failed",
            "response": {"status": "failed", "error": {"code": "server_error", "message": "No."}},
        },
    ),
    ({"type": "response.completed", "response": {"status": "failed", "error": {"code": "x", "message": "Lie."}}},),
    ({"type": "response.cancelled", "response": {"status": "cancelled"}},),
)
"""Endings that are none: a cut, an error nested as recorded and flat as documented, a response that failed."""


def _stop_reason(status: str, ending: Sequence[Event], ordered: Sequence[Item]) -> str | None:
    if status == FAILED:
        return None
    called = any(block["type"] == "tool_use" for item in ordered for block in item.blocks)
    usual = "tool_use" if called else "end_turn"
    if any(item.refusal for item in ordered):
        return "refusal"
    if status == INCOMPLETE:
        reason = _STOPS[ending[0]["response"]["incomplete_details"]["reason"]]
        return reason or ("max_tokens" if called else "end_turn")  # a call may be unfinished, so it may not be run
    return usual


# -- comparing ------------------------------------------------------------------------------------------------------


def plain(block: Block) -> Block:
    """What a block that was read says, in the form that `Stream.content` has."""
    if block["type"] == "text":
        return {"type": "text", "text": block["text"]}
    if block["type"] == "tool_use":
        return {key: block[key] for key in ("type", "id", "name", "partial_json")}
    sealed = carrier.decode(block["signature"])
    assert sealed is not None
    parts = list(carrier.split_summary(block["thinking"], sealed.summary))
    shown = {"parts": parts, "sealed": sealed.encrypted_content, "raw": sealed.raw, "phase": sealed.phase}
    return {"type": "thinking", **shown}


def agree(told: Told, stream: Stream) -> None:
    """Assert that a message which was read to its end is the one that the upstream's stream must become."""
    if stream.stop_reason is None:
        assert told.error is not None, f"a failing answer ended with {told.delta}"
        may_follow(told, stream)
        return
    assert told.error is None, told.error
    content = [plain(block) for block in told.content]
    silent = all(block["type"] == "thinking" for block in stream.content)
    if silent and content and content[-1].get("text", "").startswith(_NOTICE):
        content.pop()
    assert content == list(stream.content)
    assert told.delta["stop_reason"] == stream.stop_reason
    if stream.explanation:
        assert told.delta["stop_details"]["explanation"] == stream.explanation
    read, written, rest, output, thought = stream.usage
    assert told.usage == {
        "input_tokens": rest,
        "cache_read_input_tokens": read,
        "cache_creation_input_tokens": written,
        "output_tokens": output + thought,
        "output_tokens_details": {"thinking_tokens": thought},
    }


def may_follow(told: Told, stream: Stream) -> None:
    """Assert that what was read before a failure is where the stream's content begins."""
    assert told.whole <= len(told.content) <= len(stream.content)
    for number, (got, wanted) in enumerate(zip(told.content, stream.content, strict=False)):
        assert got["type"] == wanted["type"]
        if got["type"] == "thinking":
            whole = carrier.SEPARATOR.join(wanted["parts"])
            assert whole.startswith(got["thinking"])
        else:
            field = "text" if got["type"] == "text" else "partial_json"
            assert wanted[field].startswith(got[field])
            assert number >= told.whole or wanted[field] == got[field]


__all__ = ["COMPLETED", "FAILED", "FAILURES", "INCOMPLETE", "Stream", "agree", "content_of", "streams", "texts"]
