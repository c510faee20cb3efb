"""Hypothesis strategies for Messages requests that grow: what a client sends in one turn, and in a later one.

Clients do not send the same bytes again. They move their `cache_control` marks along with the end of the conversation,
write a text as a string or as a list with one block, list deferred tools earlier or later. None of that changes what is
said, so none of it may show upstream. Marks on the system prompt and within a message stay where they are.
"""

from __future__ import annotations

import copy
from typing import Any

import attrs
from hypothesis import strategies as st

from stages.wire import carrier, citation_carrier
from stages.wire.carrier import Carrier
from stages.wire.citation_carrier import CitedAt

ACCOUNT = "0123456789ab"
"""Fingerprint of the account that our own carriers are bound to."""

Message = dict[str, Any]
Block = dict[str, Any]

CALLS = ("toolu_call_1", "toolu_call_2", "toolu_01Xy", "an id with spaces", "toolu_" + "x" * 80)
PLAIN = ("Bash", "Read", "mcp__files__a tool whose name no upstream would take, because it is far too long " * 2)
DEFERRED = ("mcp__a", "mcp__b", "mcp__c")
EFFORTS = ("low", "medium", "high", "xhigh")

INLINE_NAME = "brought"
INLINE = {
    "type": "tool_addition",
    "tool": {"type": "tool_definition", "definition": {"name": INLINE_NAME, "input_schema": {"type": "object"}}},
}


def addition(name: str) -> Block:
    """From here on there is this tool."""
    return {"type": "tool_addition", "tool": {"type": "tool_reference", "name": name}}


def removal(name: str) -> Block:
    """From here on there is not."""
    return {"type": "tool_removal", "tool": {"type": "tool_reference", "name": name}}


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
    mark = draw(st.sampled_from(({"type": "ephemeral"}, {"type": "ephemeral", "ttl": "1h"})))
    system = draw(_texts)
    for block in (*system, *_borders(messages)):
        block.update({"cache_control": mark} if draw(st.booleans()) else {})
    base = {"model": model, "max_tokens": 1000, "system": system}
    base |= draw(st.sampled_from(({}, {"thinking": {"type": "adaptive"}}, {"thinking": {"type": "disabled"}})))
    told = draw(st.booleans())
    if told:
        messages[0]["output_config"] = {"effort": draw(st.sampled_from(EFFORTS))}
    moments = []
    for part in (messages[:cut], messages):
        said = [message["output_config"]["effort"] for message in part if "output_config" in message]
        effort = {"output_config": {"effort": said[-1]}} if told and said else {}
        moment = {**base, **effort, "tools": draw(_listed(tools, part)), "messages": copy.deepcopy(part)}
        moments.append(draw(_dressed(moment, mark)))
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
        if f"name': '{name}'" in text or draw(st.booleans()):
            deferred = {"name": name, "input_schema": {"type": "object"}, "defer_loading": True}
            listed.insert(draw(st.integers(0, len(listed))), deferred)
    return listed


def _borders(messages: list[Message]) -> list[Block]:
    """The blocks behind which a client may draw a border on purpose: those that are not the end of their message."""
    asked = [message["content"] for message in messages if message["role"] != "assistant"]
    before = [block for content in asked for block in content[:-1]]
    ends = [content[-1]["content"][:-1] for content in asked if content and content[-1]["type"] == "tool_result"]
    inside = [block["content"] for block in before if block["type"] == "tool_result"]
    return [*before, *(block for blocks in (*ends, *inside) for block in blocks)]


@st.composite
def _dressed(draw: st.DrawFn, request: dict[str, Any], mark: dict[str, Any]) -> dict[str, Any]:
    """Say the same in another way: marks on the ends of the latest messages, and strings for single texts."""
    ends = [message["content"][-1] for message in request["messages"] if message["content"]]
    roles = [message["role"] for message in request["messages"] if message["content"]]
    asked = [end for end, role in zip(ends, roles, strict=True) if role != "assistant"]
    answers = [
        end for end, role in zip(ends, roles, strict=True) if role == "assistant" and "thinking" not in end["type"]
    ]
    # Who asks for the longer time does so in every turn, since it is the request's and not only a block's.
    window = draw(st.integers(1 if "ttl" in mark else 0, 3))
    latest = asked[max(0, len(asked) - window) :]
    inner = [end["content"][-1] for end in latest if end["type"] == "tool_result" and end["content"]]
    for end in (*latest, *(inner if draw(st.booleans()) else ()), *(answers[-1:] if draw(st.booleans()) else ())):
        end["cache_control"] = mark
    for message in request["messages"]:
        content = message["content"]
        plain = len(content) == 1 and content[0].keys() == {"type", "text"}
        if plain and draw(st.booleans()):
            message["content"] = content[0]["text"]
    return request


_text = st.builds(lambda text: {"type": "text", "text": text}, words)
_texts = st.lists(_text, max_size=2)
_image = st.builds(  # a new one each time, because it may get a mark
    lambda: {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AAAA"}}
)
_document = st.builds(
    lambda source, title, cites: {"type": "document", "source": dict(source), "title": title, "citations": cites},
    st.sampled_from(
        (
            {"type": "base64", "media_type": "application/pdf", "data": "JVBE"},
            {"type": "base64", "media_type": "text/plain", "data": "YSxi"},
            {"type": "text", "media_type": "text/plain", "data": "words"},
            {"type": "file", "file_id": "file_1"},
        )
    ),
    words,
    st.sampled_from(({"enabled": True}, {"enabled": False}, None)),
)
_cited_document = st.builds(
    lambda text, number: {
        "type": "text",
        "text": text,
        "citations": [
            {
                "type": "char_location",
                "cited_text": "words",
                "document_index": number,
                "document_title": None,
                "start_char_index": 0,
                "end_char_index": 5,
            }
        ],
    },
    words,
    st.integers(0, 2),
)
_cited = st.builds(
    lambda text, place: {
        "type": "text",
        "text": text,
        "citations": [
            {
                "type": "web_search_result_location",
                "cited_text": "",
                "url": "https://a",
                "title": None,
                "encrypted_index": place,
            }
        ],
    },
    words,
    st.builds(CitedAt, st.integers(0, 12), st.just(1), st.integers(1, 9)).map(citation_carrier.encode)
    | st.just("EqMC"),
)
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


_changed = st.builds(  # what may be removed is not listed by all moments, and what is brought along is always the same
    copy.deepcopy,
    st.sampled_from((INLINE, removal(PLAIN[0]), removal(INLINE_NAME), *map(addition, (*DEFERRED, PLAIN[0])))),
)

_call = st.builds(
    lambda ident, name, arguments: {"type": "tool_use", "id": ident, "name": name, "input": arguments},
    st.sampled_from(CALLS),
    st.sampled_from((*PLAIN, *DEFERRED)),
    st.dictionaries(words, words, max_size=2),
)
_unknown = st.builds(lambda ident: {"type": "container_upload", "file_id": ident}, words)
_result = st.builds(
    lambda ident, content, failed: {
        "type": "tool_result",
        "tool_use_id": ident,
        "content": content,
        "is_error": failed,
    },
    st.sampled_from(CALLS),
    st.lists(_text | _image | _document | _reference, max_size=2),
    st.booleans(),
)


_hosted = st.sampled_from(
    (
        {"type": "server_tool_use", "id": "srvtoolu_ws_1", "name": "web_search", "input": {"query": "q"}},
        {"type": "web_search_tool_result", "tool_use_id": "srvtoolu_ws_1", "content": [{"url": "https://a"}]},
        {"type": "server_tool_use", "id": "srvtoolu_ci_1_cntr_1", "name": "code_execution", "input": {"code": "1"}},
        {"type": "code_execution_tool_result", "tool_use_id": "srvtoolu_ci_1_cntr_1", "content": {"stdout": "1"}},
        {"type": "mcp_tool_use", "id": "mcptoolu_mcp_1", "name": "ask", "server_name": "the wiki", "input": {}},
        {"type": "mcp_tool_result", "tool_use_id": "mcptoolu_mcp_1", "is_error": True, "content": "no"},
        {"type": "server_tool_use", "id": "srvtoolu_tsc_1", "name": "tool_search_tool_regex", "input": {}},
        {"type": "server_tool_use", "id": "srvtoolu_01AB", "name": "web_fetch", "input": {"url": "https://a"}},
        {"type": "web_fetch_tool_result", "tool_use_id": "srvtoolu_01AB", "content": {"type": "web_fetch_result"}},
        {"type": "compaction", "content": "so far", "encrypted_content": "sealed"},
        {"type": "compaction", "content": "so far", "tool_changes": [removal(DEFERRED[0]), INLINE]},
    )
)
"""What servers ran themselves: calls that we told, and another service's."""


_asked = st.builds(
    lambda content: {"role": "user", "content": content},
    st.lists(_text | _result | _image | _document | _unknown, min_size=1, max_size=4),
)


def _messages(upstream_model: str) -> st.SearchStrategy[Message]:
    redacted = st.just({"type": "redacted_thinking", "data": "xyz"})
    said = st.lists(
        _text | _cited | _cited_document | _call | _hosted | _thinking(upstream_model) | redacted,
        min_size=1,
        max_size=4,
    )
    told = st.builds(
        lambda content, effort: {"role": "system", "content": content} | ({"output_config": effort} if effort else {}),
        st.lists(_text | _changed, max_size=2),
        st.none() | st.builds(lambda effort: {"effort": effort}, st.sampled_from(EFFORTS)),
    )
    return st.one_of(
        _asked,
        st.builds(lambda content: {"role": "assistant", "content": content}, said),
        told,
    )
