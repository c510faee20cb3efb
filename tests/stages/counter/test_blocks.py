"""Every kind of block has a cost."""

from __future__ import annotations

import base64
from typing import get_args

import pytest

from stages.canonical.request import (
    ContentBlock,
    Document,
    Image,
    RedactedThinking,
    SearchResult,
    Source,
    Text,
    Thinking,
    ToolReference,
    ToolResult,
    ToolUse,
    Unknown,
)
from stages.counter.blocks import _COSTS, CALL, FILE_UNSEEN, MIN_FILE_TOKENS, NUMBER, RESULT, count_block
from stages.counter.pictures import UNSEEN
from stages.wire import carrier
from stages.wire.carrier import Carrier
from tests.support.cases import cases


def words(text: str) -> int:
    """Count words."""
    return len(text.split())


def test_no_kind_is_forgotten() -> None:
    """The table knows exactly the canonical blocks."""
    assert set(_COSTS) == set(get_args(ContentBlock))


CITED = {"citations": {"enabled": True}}


def data(raw: bytes, media_type: str) -> Source:
    """Make a source of these bytes."""
    return Source("base64", media_type, base64.b64encode(raw).decode())


@cases(
    ("block", "tokens"),
    [
        (Text("one two"), 2),
        (Image(Source("url", url="https://example.com/a.png")), UNSEEN),
        (Document(Source("text", "text/plain", "one two three")), 3),
        (Document(Source("text", "text/plain", "one"), title="a title", context="the context"), 5),
        (Document(Source("content", content=(Text("one two"), Text("three")))), 3),
        (Document(data(b"a csv file", "text/csv")), 3),
        (Document(data(b"%PDF-1.4 tiny", "application/pdf")), MIN_FILE_TOKENS),
        (Document(data(b"x" * 100_000, "application/pdf")), 5_000),
        (Document(Source("url", url="https://example.com/a.pdf")), FILE_UNSEEN),
        (Document(Source("file", file_id="file_1")), FILE_UNSEEN),
        (SearchResult("where it was", "its title", (Text("what it says"),)), 8),
        (Document(Source("text", "text/plain", "One sentence that is long. And one"), extra=CITED), 7 + 2 * NUMBER),
        (Document(Source("content", content=(Text("one two"), Text("three"))), extra=CITED), 3 + 2 * NUMBER),
        (SearchResult("where it was", "its title", (Text("what it says"),), extra=CITED), 8 + NUMBER),
        (ToolUse("toolu_1", "read", {"path": "a b"}), CALL + 1 + 2),
        (ToolResult("toolu_1", (Text("one"), Image(Source("url")))), RESULT + 1 + UNSEEN),
        (ToolReference("a tool"), 2),
        (Unknown("container_upload", {"type": "container_upload", "file": "a b"}), 2),
        (RedactedThinking("opaque words"), 0),
        (Thinking("long thoughts", "of another service"), 0),
    ],
)
def test_cost(block: ContentBlock, tokens: int) -> None:
    """Texts count as texts, all else by its rule."""
    assert count_block(block, words) == tokens


def test_a_text_file_that_is_no_base64() -> None:
    """What cannot be decoded is counted as it stands."""
    assert count_block(Document(Source("base64", "text/plain", "not base64!")), words) == 2


@pytest.mark.parametrize(("sealed", "recorded"), [(1_932, 128), (5_580, 704), (9_420, 1_344), (18_276, 2_560)])
def test_sealed_reasoning(sealed: int, recorded: int) -> None:
    """Reasoning that we carry counts by the length of its seal, near what recorded items of that length took."""
    block = Thinking("", carrier.encode(Carrier("rs_1", "x" * sealed, model="gpt-6.2-sol")))

    assert abs(count_block(block, words) - recorded) <= max(40, recorded * 0.1)


def test_shown_reasoning_counts_at_least_its_text() -> None:
    """A summary, or reasoning that comes back as text, counts as text where that is more."""
    block = Thinking("five words of a thought", carrier.encode(Carrier("rs_1", raw=True)))

    assert count_block(block, words) == 5
