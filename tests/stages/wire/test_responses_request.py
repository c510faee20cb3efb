"""Items, parts and tools of a Responses request: the same thing becomes the same bytes, in the documented shapes."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given

from stages.wire import json
from stages.wire import responses_request as responses
from tests.stages.strategies import OBJECTS

SHAPES: list[tuple[dict[str, Any], bytes]] = [
    (responses.input_text("hi"), b'{"type":"input_text","text":"hi"}'),
    (responses.output_text("hi"), b'{"type":"output_text","text":"hi","annotations":[]}'),
    (responses.input_image("u"), b'{"type":"input_image","image_url":"u","detail":"auto"}'),
    (responses.input_image_file("f"), b'{"type":"input_image","file_id":"f","detail":"auto"}'),
    (
        responses.input_file_data("a.pdf", "application/pdf", "AAA="),
        b'{"type":"input_file","filename":"a.pdf","file_data":"data:application/pdf;base64,AAA="}',
    ),
    (responses.input_file_url("u"), b'{"type":"input_file","file_url":"u"}'),
    (responses.input_file_id("f"), b'{"type":"input_file","file_id":"f"}'),
    (
        responses.with_breakpoint(responses.input_file_id("f"), lasting=False),
        b'{"type":"input_file","file_id":"f","prompt_cache_breakpoint":{"mode":"explicit"}}',
    ),
    (
        responses.with_breakpoint(responses.input_text("hi"), lasting=True),
        b'{"type":"input_text","text":"hi","prompt_cache_breakpoint":{"mode":"explicit","ttl":"12h"}}',
    ),
    (responses.message_item("user", []), b'{"type":"message","role":"user","content":[]}'),
    (
        responses.message_item("assistant", [], "p"),
        b'{"type":"message","role":"assistant","content":[],"phase":"p"}',
    ),
    (
        responses.function_call("call_1", "look", {"a": 1}),
        b'{"type":"function_call","call_id":"call_1","name":"look","arguments":"{\\"a\\":1}"}',
    ),
    (
        responses.function_call_output("call_1", "x"),
        b'{"type":"function_call_output","call_id":"call_1","output":"x"}',
    ),
    (
        responses.sealed_reasoning("sealed", ("a",)),
        b'{"type":"reasoning","summary":[{"type":"summary_text","text":"a"}],"encrypted_content":"sealed"}',
    ),
    (
        responses.open_reasoning(("a",)),
        b'{"type":"reasoning","summary":[],"content":[{"type":"reasoning_text","text":"a"}]}',
    ),
    (responses.additional_tools([]), b'{"type":"additional_tools","role":"developer","tools":[]}'),
    (responses.effort_update("low"), b'{"type":"configuration_update","reasoning":{"effort":"low"}}'),
    (
        responses.function_tool("f", "does", {}, strict=False),
        b'{"type":"function","name":"f","description":"does","parameters":{},"strict":false}',
    ),
    (
        responses.function_tool("f", None, {}, strict=True),
        b'{"type":"function","name":"f","parameters":{},"strict":true}',
    ),
]


@pytest.mark.parametrize(("value", "data"), SHAPES, ids=[data.decode()[:40] for _, data in SHAPES])
def test_shapes_have_one_key_order(value: dict[str, Any], data: bytes) -> None:
    """The upstream caches by prefix, so the order of keys is part of the shape."""
    assert json.encode(value) == data


def test_a_message_without_phase_has_none() -> None:
    """An empty phase is no phase: models that know none would refuse the field."""
    assert "phase" not in responses.message_item("assistant", [], "")


@given(OBJECTS)
def test_argument_texts_are_json(arguments: dict[str, Any]) -> None:
    """Arguments read back as they were, whatever they hold."""
    assert json.decode(responses.arguments_text(arguments)) == arguments


@given(OBJECTS)
def test_a_call_can_be_sent(arguments: dict[str, Any]) -> None:
    """A call with any arguments is UTF-8 on the wire; half an emoji stays an escape inside."""
    json.encode(responses.function_call("call_1", "f", arguments)).decode("utf-8")
