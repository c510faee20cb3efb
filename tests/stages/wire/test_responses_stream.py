"""Upstream events are read leniently: a field of a wrong type counts as absent, and only what is no JSON is refused."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stages.wire import json, responses_stream
from stages.wire.responses_stream import Final, StreamEvent
from tests.stages.strategies import JSON, OBJECTS, TEXTS

NAMES = st.sampled_from([field.name for field in msgspec.structs.fields(StreamEvent)])
FINAL_NAMES = st.sampled_from([field.name for field in msgspec.structs.fields(Final)])


def test_a_hot_event_is_read_typed() -> None:
    """Text, ids and indexes are taken; what is unknown is passed over."""
    event = responses_stream.decode(
        b'{"type":"response.output_text.delta","item_id":"msg_1","output_index":2,"content_index":0,"delta":"Hi","x":[]}'
    )

    assert (event.type, event.item_id, event.output_index, event.content_index, event.delta) == (
        "response.output_text.delta",
        "msg_1",
        2,
        0,
        "Hi",
    )
    assert (event.text, event.arguments, bytes(event.item)) == (None, None, b"")


def test_objects_stay_undecoded() -> None:
    """The echo of the request is not parsed before somebody asks for it."""
    event = responses_stream.decode(b'{"type":"response.created","response":{"id": "resp_1"}}')

    assert bytes(event.response) == b'{"id": "resp_1"}'
    assert responses_stream.object_in(event.response) == {"id": "resp_1"}


@given(st.dictionaries(NAMES, JSON))
def test_any_field_may_have_any_type(fields: dict[str, object]) -> None:
    """Nothing raises, and each field that fits is there, lone surrogates included."""
    event = responses_stream.decode(json.encode(fields))

    assert isinstance(event.type, str)
    assert isinstance(event.delta, str)
    for name in ("type", "delta", "item_id", "text"):
        if isinstance(fields.get(name), str):
            assert getattr(event, name) == fields[name]
    index = fields.get("output_index")
    if isinstance(index, int) and not isinstance(index, bool) and abs(index) < 2**60:
        assert event.output_index == index


@given(JSON.filter(lambda value: not isinstance(value, dict)))
def test_what_is_no_object_says_nothing(value: object) -> None:
    """An event that is a number or a list is an event without a type."""
    assert responses_stream.decode(json.encode(value)) == StreamEvent()


@given(TEXTS)
def test_a_text_with_half_an_emoji_survives(text: str) -> None:
    """Deltas are cut anywhere by tokenizers."""
    assert responses_stream.decode(json.encode({"delta": text, "item": {"text": text}})).delta == text


@pytest.mark.parametrize("payload", [b"", b"{", b"[DONE]", b'{"type":"a"} x', b"\xff", b"[" * 100_000])
def test_what_is_no_json_is_refused(payload: bytes) -> None:
    """The one error that a payload can have."""
    with pytest.raises(json.MalformedJson):
        responses_stream.decode(payload)


@given(st.dictionaries(FINAL_NAMES, JSON))
def test_the_final_object_is_read_as_far_as_it_fits(fields: dict[str, object]) -> None:
    """Nothing raises; `output` is a list of items or absent."""
    final = responses_stream.decode_final(json.encode(fields))

    wanted = fields.get("output")
    told = wanted if isinstance(wanted, list) else [wanted] if isinstance(wanted, str | dict) else []
    found = [json.decode(bytes(raw)) for raw in final.output or ()]
    assert json.mended_value(found) == json.mended_value(told)
    usage = fields.get("usage")
    assert json.mended_value(final.usage) == (json.mended_value(usage) if isinstance(usage, dict) else None)


def test_a_text_may_stand_where_an_item_should() -> None:
    """Then it is a message; what is neither is nothing."""
    final = responses_stream.decode_final(b'{"output":["a",{"type":"x"},5]}')
    items = [responses_stream.item_in(raw) for raw in final.output or ()]

    assert items == [{"type": "message", "content": "a"}, {"type": "x"}, {}]


@pytest.mark.parametrize("raw", [b"", b"null", b"[]", b'"x"'])
def test_no_final_object_is_an_empty_one(raw: bytes) -> None:
    """Whoever asks how it ended gets no answer, not an exception."""
    assert responses_stream.decode_final(msgspec.Raw(raw)) == Final()
    assert responses_stream.object_in(msgspec.Raw(raw)) == {}


@given(OBJECTS)
def test_what_is_dumped_loads(value: dict[str, object]) -> None:
    """Events that are made here read like those that came."""
    assert responses_stream.object_in(responses_stream.dump(value)) == json.mended_value(value)
