"""Hypothesis strategies for Messages requests that grow: what a client sends in one turn, and in a later one.

Clients do not send the same bytes again. They move their `cache_control` marks, write a text as a string or as a
list with one block, list deferred tools earlier or later. None of that changes what is said, so none of it may show
upstream.
"""

from __future__ import annotations

import copy
from typing import Any

import attrs
from hypothesis import strategies as st

from stages.wire import carrier
from stages.wire.carrier import Carrier

ACCOUNT = "0123456789ab"
"""Fingerprint of the account that our own carriers are bound to."""

Message = dict[str, Any]
Block = dict[str, Any]

CALLS = ("toolu_call_1", "toolu_call_2", "toolu_01Xy", "an id with spaces", "toolu_" + "x" * 80)
PLAIN = ("Bash", "Read", "mcp__files__a tool whose name no upstream would take, because it is far too long " * 2)
DEFERRED = ("mcp__a", "mcp__b", "mcp__c")
EFFORTS = ("low", "medium", "high", "xhigh")

words = st.text(max_size=8) | st.sampled_from(("x-anthropic-billing-header: x", " ", "\ud83d", "🙂"))


@attrs.frozen
class Grown:
    """Two requests of one conversation: the later one extends the earlier."""

    earlier: dict[str, Any]
    later: dict[str, Any]


@st.composite
def grown(draw: st.DrawFn, model: str, upstream_model: str) -> Grown:
    """Draw a conversation at two moments; `upstream_model` is what our carriers are bound to."""
    tools = [{"name": name, "input_schema": {"type": "object", "properties": {}}} for name in PLAIN]
    messages = [draw(_asked), *draw(st.lists(_messages(upstream_model), max_size=8))]
    cuts = [at for at in range(1, len(messages) + 1) if not _is_awaited(messages, at)]
    cut = draw(st.sampled_from(cuts))
    base = {"model": model, "max_tokens": 1000, "system": draw(_texts)}
    base |= draw(st.sampled_from(({}, {"thinking": {"type": "adaptive"}}, {"thinking": {"type": "disabled"}})))
    told = draw(st.booleans())
    if told:
        messages[0]["output_config"] = {"effort": draw(st.sampled_from(EFFORTS))}
    moments = []
    for part in (messages[:cut], messages):
        said = [message["output_config"]["effort"] for message in part if "output_config" in message]
        effort = {"output_config": {"effort": said[-1]}} if told and said else {}
        moment = {**base, **effort, "tools": draw(_listed(tools, part)), "messages": copy.deepcopy(part)}
        moments.append(draw(_dressed(moment)))
    return Grown(*moments)


def _is_awaited(messages: list[Message], cut: int) -> bool:
    """Whether a call before the cut gets its result after it: no client asks for an answer in between.

    And the upstream would refuse that: it wants an output for each call.
    """
    calls: dict[str, int] = {}
    for at, message in enumerate(messages):
        for block in message["content"]:
            if block["type"] == "tool_use":
                calls[block["id"]] = at
            elif block["type"] == "tool_result" and calls.pop(block["tool_use_id"], cut) < cut <= at:
                return True
    return False


@st.composite
def _listed(draw: st.DrawFn, tools: list[dict[str, Any]], messages: list[Message]) -> list[dict[str, Any]]:
    """List the tools: the plain ones in their order; deferred ones anywhere, those referred to so far certainly."""
    listed = list(tools)
    text = repr(messages)
    for name in DEFERRED:
        if f"'tool_name': '{name}'" in text or draw(st.booleans()):
            deferred = {"name": name, "input_schema": {"type": "object"}, "defer_loading": True}
            listed.insert(draw(st.integers(0, len(listed))), deferred)
    return listed


@st.composite
def _dressed(draw: st.DrawFn, request: dict[str, Any]) -> dict[str, Any]:
    """Say the same in another way: strings for single texts, and marks for the cache here and there."""
    for message in request["messages"]:
        content = message["content"]
        if len(content) == 1 and content[0]["type"] == "text" and draw(st.booleans()):
            message["content"] = content[0]["text"]
        elif content and draw(st.booleans()):
            content[-1]["cache_control"] = {"type": "ephemeral"}
    if request["system"] and draw(st.booleans()):
        request["system"][-1]["cache_control"] = {"type": "ephemeral", "ttl": "1h"}
    return request


_text = st.builds(lambda text: {"type": "text", "text": text}, words)
_texts = st.lists(_text, max_size=2)
_image = st.just({"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AAAA"}})
_reference = st.builds(lambda name: {"type": "tool_reference", "tool_name": name}, st.sampled_from((*DEFERRED, "gone")))


@st.composite
def _thinking(draw: st.DrawFn, upstream_model: str) -> Block:
    """Draw reasoning: sealed by us for this model or another, or by somebody else."""
    text = draw(words)
    ours = Carrier(
        id="rs_1",
        encrypted_content=draw(st.sampled_from(("gAAA", ""))),
        summary=(len(text),),
        phase=draw(st.sampled_from(("", "commentary", "final_answer"))),
        model=draw(st.sampled_from((upstream_model, upstream_model, "gpt-4.1"))),
        account=ACCOUNT,
    )
    signature = draw(st.sampled_from((carrier.encode(ours), carrier.encode(ours), "EqMC", "dragoman1.damaged", "")))
    return {"type": "thinking", "thinking": text, "signature": signature}


_call = st.builds(
    lambda ident, name, arguments: {"type": "tool_use", "id": ident, "name": name, "input": arguments},
    st.sampled_from(CALLS),
    st.sampled_from((*PLAIN, *DEFERRED)),
    st.dictionaries(words, words, max_size=2),
)
_result = st.builds(
    lambda ident, content, failed: {
        "type": "tool_result",
        "tool_use_id": ident,
        "content": content,
        "is_error": failed,
    },
    st.sampled_from(CALLS),
    st.lists(_text | _image | _reference, max_size=2),
    st.booleans(),
)


_asked = st.builds(
    lambda content: {"role": "user", "content": content}, st.lists(_text | _result | _image, min_size=1, max_size=4)
)


def _messages(upstream_model: str) -> st.SearchStrategy[Message]:
    redacted = st.just({"type": "redacted_thinking", "data": "xyz"})
    said = st.lists(_text | _call | _thinking(upstream_model) | redacted, min_size=1, max_size=4)
    told = st.builds(
        lambda content, effort: {"role": "system", "content": content} | ({"output_config": effort} if effort else {}),
        _texts,
        st.none() | st.builds(lambda effort: {"effort": effort}, st.sampled_from(EFFORTS)),
    )
    return st.one_of(
        _asked,
        st.builds(lambda content: {"role": "assistant", "content": content}, said),
        told,
    )
