"""The least a request can cost is never more than what it is likely to cost."""

from __future__ import annotations

import json
from pathlib import Path

from stages.canonical.request import (
    ContentBlock,
    Document,
    Image,
    Message,
    Request,
    Source,
    Text,
    Thinking,
    Tool,
    ToolResult,
    ToolUse,
)
from stages.counter import estimate, least, prompt_tokens
from stages.counter.least import LONGEST_TOKENIZED
from stages.decoder import decode_request
from tests.support.cases import cases

TEN = "w " * 10


def words(text: str) -> int:
    """Count words: a vocabulary that can be checked by eye."""
    return len(text.split())


@cases(
    ("block", "tokens"),
    [
        (Text(TEN), 9),
        (Text(""), 0),
        (Text("  "), 0),
        (ToolResult("t", (Text(TEN), Text(TEN))), 18),
        (Document(Source("text", "text/plain", TEN)), 9),
        (Document(Source("text", "text/plain")), 0),
        (Document(Source("base64", "text/plain", "d3cgd3c=")), 0),
        (Image(Source("url", url="https://x")), 0),
        (Thinking(TEN, "dragoman1.x"), 0),
        (ToolUse("t", "Bash", {"command": TEN}), 0),
    ],
)
def test_texts_alone_are_certain(block: ContentBlock, tokens: int) -> None:
    """A text counts, less the token that it could share with its neighbour; nothing else does."""
    assert least(Request("m", (Message("user", (block,)),)), words) == tokens


def test_the_system_prompt_counts_and_the_rest_does_not() -> None:
    """What the decoder has emptied is not sent; tools are sent in another form."""
    system = (Text(""), Text(TEN))

    assert least(Request("m", (), system=system, tools=(Tool("t", {}, TEN),)), words) == 9


def test_long_texts_may_be_counted_in_pieces() -> None:
    """Each cut can split a token in two."""
    assert (
        least(Request("m", (Message("user", (Text("w " * LONGEST_TOKENIZED),)),)), words) == LONGEST_TOKENIZED - 1 - 2
    )


def test_recorded_requests_cost_at_least_this(shared: Path) -> None:
    """For every request of the real client, the least is below the likely."""
    compared = 0
    for path in sorted((shared / "recordings/claude_code").glob("*.json")):
        for record in json.loads(path.read_bytes())["requests"]:
            request = decode_request(json.dumps(record.get("body")).encode(), counting=True)
            if isinstance(request, Request):
                assert 0 <= least(request, estimate) <= prompt_tokens(request, estimate)
                compared += 1
    assert compared > 150
