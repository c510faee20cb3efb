"""Token counts of a canonical request: what the upstream would charge as input, as near as can be said from here.

Nothing here knows a tokenizer: whoever counts hands in `tokens`, text to number of tokens.  All that is added to the
texts (borders of messages and calls, tools as the model reads them) was measured on recorded answers of `gpt-5` to
`gpt-6-astra` with the exact tokenizer: text alone comes out exact, with tools within 3 tokens for most.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from stages.canonical.request import (
    AnyTool,
    ContentBlock,
    Message,
    Request,
    Text,
    Tool,
    ToolResult,
)
from stages.counter.blocks import Tokens, count_block
from stages.counter.cache import TokenCache
from stages.counter.least import least
from stages.counter.pieces import count_pieces, estimate
from stages.counter.signatures import HEAD, declared_texts
from stages.tools.changes import tool_changes, tool_key
from stages.wire import json
from stages.wire.cache import by_identity, by_members

__all__ = [
    "ANSWER",
    "MESSAGE",
    "TokenCache",
    "Tokens",
    "count",
    "count_pieces",
    "estimate",
    "estimate_request",
    "least",
]

ANSWER = 2
"""What opens the answer, once a request."""

MESSAGE = 4
"""The borders and the role of one message item."""

SAID = 2
"""What the border of a text that the model itself wrote has beyond `MESSAGE`: its channel."""

TOOL_LIST = 2
"""The border of the list of tools, beyond its text."""

FORMAT = 12
"""The border of a schema that the answer must fit."""


def prompt_tokens(request: Request, tokens: Tokens) -> int:
    """Count the input tokens of a request.

    Exact for text with the upstream's own tokenizer; pictures and documents follow the rules of `pictures` and
    `blocks`, which are near.  Reasoning that we carry for the client counts, though older models drop it once a
    new user message stands behind it: a prompt is rather taken for too long than for too short.

    Args:
        request: what the client asked.
        tokens: the number of tokens of one text; called once for every text, so pass a `TokenCache` where turns repeat.
    """
    told = sum(_message(message, tokens) for message in request.messages)
    return ANSWER + _system(request, tokens) + told + _tools(request, tokens) + _format(request, tokens)


def estimate_request(request: Request) -> int:
    """Estimate what `count` counts; messages and tools that came before are not looked at again."""
    told = sum(map(_estimated_message, request.messages))
    tools = _estimated_tools(request.tools)
    shown = _tools(request, estimate) if tools is None else tools
    return ANSWER + _system(request, estimate) + told + shown + _format(request, estimate)


def _system(request: Request, tokens: Tokens) -> int:
    shown = [block for index, block in enumerate(request.system) if index not in request.billing]
    return MESSAGE + sum(count_block(block, tokens) for block in shown) if shown else 0


def _message(message: Message, tokens: Tokens) -> int:
    """Count one message, which upstream is as many items as it has texts (assistant) or results (user) in it."""
    inner = sum(count_block(block, tokens) for block in message.content)
    if message.role == "assistant":
        return inner + (MESSAGE + SAID) * sum(isinstance(block, Text) for block in message.content)
    runs = [is_result for is_result, _ in groupby(message.content, key=_is_result)]
    return inner + MESSAGE * runs.count(False)


@by_identity
def _estimated_message(message: Message) -> int:
    return _message(message, estimate)


def _is_result(block: ContentBlock) -> bool:
    return isinstance(block, ToolResult)


def _tools(request: Request, tokens: Tokens) -> int:
    """Count the tools that the model is shown: a deferred one only when the conversation speaks of it."""
    spoken_of = {mention.key for mention in tool_changes(request).mentions}
    return _shown_tools(
        [tool for tool in request.tools if not (_waits(tool) and tool_key(tool) not in spoken_of)], tokens
    )


@by_members
def _estimated_tools(tools: tuple[AnyTool, ...]) -> int | None:
    """Estimate all tools; None where some may not be shown."""
    return None if any(map(_waits, tools)) else _shown_tools(tools, estimate)


def _shown_tools(tools: Sequence[AnyTool], tokens: Tokens) -> int:
    shown = [text for tool in tools for text in declared_texts(tool)]
    return TOOL_LIST + tokens(HEAD) + sum(map(tokens, shown)) if shown else 0


def _waits(tool: AnyTool) -> bool:
    """Whether a tool is shown only once a result refers to it."""
    return isinstance(tool, Tool) and tool.defer_loading


def _format(request: Request, tokens: Tokens) -> int:
    answer_format = request.output_config.format if request.output_config else None
    return FORMAT + tokens(json.encode(answer_format.get("schema", answer_format)).decode()) if answer_format else 0
