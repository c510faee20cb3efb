"""Events of a Responses stream, and the object that ends it.

One typed pass over each payload takes what the hot events need and leaves `item`, `part` and `response` as raw bytes:
`created`, `in_progress` and `completed` each echo the whole request, and most of that is never looked at.
Servers differ (see `docs/facts/servers.md`), so no field is required and a field of a wrong type counts as absent.
"""

from __future__ import annotations

from typing import Any, ClassVar, TypeVar

import msgspec

from stages.wire import json

_NOTHING = msgspec.Raw()
_T = TypeVar("_T")


class StreamEvent(msgspec.Struct, gc=False):
    """One event of the stream.

    `type` is the wire's name.  `item`, `part`, `response` and `annotation` are undecoded JSON, empty when absent, and
    so is whatever an error may stand in (from `error` on); read them with `load`.  Ids and indexes are None where the
    server sends none.
    """

    type: str = ""
    item_id: str | None = None
    output_index: int | None = None
    content_index: int | None = None
    summary_index: int | None = None
    delta: str = ""
    text: str | None = None
    arguments: str | None = None
    refusal: str | None = None
    input: str | None = None
    item: msgspec.Raw = _NOTHING
    part: msgspec.Raw = _NOTHING
    annotation: msgspec.Raw = _NOTHING
    response: msgspec.Raw = _NOTHING
    error: msgspec.Raw = _NOTHING
    code: msgspec.Raw = _NOTHING
    message: msgspec.Raw = _NOTHING
    msg: msgspec.Raw = _NOTHING
    status: msgspec.Raw = _NOTHING
    detail: msgspec.Raw = _NOTHING
    errors: msgspec.Raw = _NOTHING
    base_resp: msgspec.Raw = _NOTHING
    usage: msgspec.Raw = _NOTHING
    output: msgspec.Raw = _NOTHING
    halves: ClassVar[bool] = False
    """Whether its delta holds half a character: the other half may come with the next one."""


class HalvedEvent(StreamEvent, gc=False):
    """An event whose delta holds half a character."""

    halves: ClassVar[bool] = True


class Final(msgspec.Struct):
    """What is read of a `response` object: how and when it ended, what it cost, what it holds; items raw."""

    id: str | None = None
    status: str | None = None
    incomplete_details: Any = None
    error: Any = None
    usage: dict[str, Any] | None = None
    output: list[msgspec.Raw] | None = None
    output_text: Any = None
    last_error: Any = None
    status_details: Any = None
    finish_reason: Any = None
    stop_reason: Any = None
    created_at: float | None = None
    completed_at: float | None = None
    input_transformations: list[Any] | None = None


_events = msgspec.json.Decoder(StreamEvent)
_finals = msgspec.json.Decoder(Final)


def decode(payload: bytes) -> StreamEvent:
    """Read one payload of the stream.

    Raises:
        MalformedJson: the payload is no JSON.
    """
    try:
        return _events.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return _odd(json.decode(payload))


def decode_many(payloads: list[bytes]) -> list[StreamEvent] | None:
    """Read the payloads of one upstream read in one go; None when any of them needs a closer look, one by one."""
    try:
        events = _events.decode_lines(b"\n".join(payloads))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return events if len(events) == len(payloads) else None  # a payload of several lines is not several payloads


def final_of(event: StreamEvent) -> Final:
    """Read the `response` of an event, or the event itself where the members of one stand in it.

    Anything but an object counts as an empty one.
    """
    final = decode_final(event.response)
    if not final.usage:
        final.usage = object_in(event.usage)
    if final.output is None and bytes(event.output):
        final.output = _fit(json.decode_mended(bytes(event.output)), list[msgspec.Raw] | None)
    return final


def decode_final(raw: msgspec.Raw | bytes) -> Final:
    """Read a `response` object; anything but an object counts as an empty one."""
    try:
        return _finals.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return _lenient(Final, object_in(raw))


def told_in(raw: msgspec.Raw | bytes) -> Any:
    """Decode a raw field, whatever stands there; None where it is absent.

    Raises:
        MalformedJson: what stands there is no JSON after all: the pass that left it raw did not look into it.
    """
    return unwrapped(json.decode_mended(bytes(raw))) if bytes(raw) else None


def object_in(raw: msgspec.Raw | bytes) -> dict[str, Any]:
    """Decode a raw field that should be an object; an absent one, or anything else, is the empty object.

    Raises:
        MalformedJson: what stands there is no JSON after all: the pass that left it raw did not look into it.
    """
    value = told_in(raw)
    return value if isinstance(value, dict) else {}


def item_in(raw: msgspec.Raw | bytes) -> dict[str, Any]:
    """Decode an item of the output; a text that stands there alone is a message.

    Raises:
        MalformedJson: as for `object_in`.
    """
    value = _items(json.decode_mended(bytes(raw))) if bytes(raw) else None
    return {"type": "message", "content": value} if isinstance(value, str) else value if isinstance(value, dict) else {}


def unwrapped(value: Any) -> Any:
    """A value that was put into a list of its own, or encoded twice, without that; any other as it is."""
    if isinstance(value, list) and len(value) == 1 and isinstance(value[0], dict):
        return value[0]
    if isinstance(value, str) and value.lstrip()[:1] in ("{", "["):
        try:
            return json.decode(value)
        except json.MalformedJson:
            return value
    return value


def _items(value: Any) -> Any:
    """An item or a list of them that was encoded twice, without that; other text may be an answer, and stays."""
    inner = unwrapped(value) if isinstance(value, str) else value
    held = inner if isinstance(inner, list) else [inner]
    return inner if all(isinstance(item, dict) and "type" in item for item in held) else value


def with_delta(event: StreamEvent, text: str) -> StreamEvent:
    """The same event with another delta."""
    return msgspec.structs.replace(event, delta=text)


def dump(value: Any) -> msgspec.Raw:
    """Make a raw field of a value, for events that are made here rather than read."""
    return msgspec.Raw(json.encode(value))


_SPOKEN = ("delta", "text", "arguments", "input")
"""Fields that hold text, which some servers send as an object."""


def _odd(value: Any) -> StreamEvent:
    """Build an event of a payload that is not as documented: values of other types, or halves of characters."""
    value = unwrapped(value)
    fields = dict(value) if isinstance(value, dict) else {}
    for name in _SPOKEN:
        if isinstance(fields.get(name), dict):
            fields[name] = _spoken(fields[name], text="arguments" not in str(fields.get("type")))
    delta = fields.get("delta")
    halves = isinstance(delta, str) and json.mended(delta) is not delta
    return _lenient(HalvedEvent if halves else StreamEvent, {**json.mended_value(fields), "delta": delta})


def _spoken(value: dict[str, Any], *, text: bool) -> str:
    """The text of an object that stands where text should: what it holds, or itself where it is arguments."""
    words = next((value[name] for name in ("text", "content", "value") if isinstance(value.get(name), str)), "")
    return words if text else json.encode(value).decode()


def _lenient(shape: type[_T], value: Any) -> _T:
    """Build a struct from the fields that have the right type; the others count as absent."""
    known: dict[str, Any] = {}
    for field in msgspec.structs.fields(shape):  # type: ignore[arg-type] # both shapes are structs
        if not isinstance(value, dict) or field.name not in value:
            continue
        fitting = _fit(value[field.name], field.type)
        if fitting is not msgspec.UNSET:
            known[field.name] = fitting
    return shape(**known)


_NUMBERS = (int | None, float | None)
# Types that some servers write as texts.


def _fit(value: Any, wanted: Any) -> Any:
    if wanted is msgspec.Raw:
        return dump(value)
    if wanted == list[msgspec.Raw] | None:
        # One item that is not in a list is an output as well, and so is a list that was encoded twice.
        value = _items(value)
        return list(map(dump, value if isinstance(value, list) else [value] if isinstance(value, dict | str) else []))
    try:
        return msgspec.convert(value, wanted, strict=wanted not in _NUMBERS)
    except (msgspec.ValidationError, UnicodeEncodeError, OverflowError):
        return msgspec.UNSET
