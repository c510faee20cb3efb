"""Blocks that go in become parts: pictures, documents, findings, and what nobody has a word for."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stages.canonical.report import Disposition, Report
from stages.canonical.request import (
    ContentBlock,
    Document,
    Image,
    SearchResult,
    Source,
    Text,
    ToolReference,
    Unknown,
)
from stages.mapper.parts import parts_of_block, text_of
from stages.tables.identifiers import upstream_tool_name
from stages.wire import json
from stages.wire import responses_request as responses
from tests.stages.strategies import OBJECTS, TEXTS
from tests.support.cases import cases
from tests.support.places import place

PDF = Source("base64", "application/pdf", "JVBE")

SOURCES = st.builds(
    Source,
    type=st.sampled_from(["base64", "url", "file", "text", "content", "other"]),
    media_type=st.none() | TEXTS,
    data=st.none() | TEXTS,
    url=st.none() | TEXTS,
    file_id=st.none() | TEXTS,
    content=st.lists(st.builds(Text, TEXTS), max_size=2).map(tuple),
)
BLOCKS: st.SearchStrategy[ContentBlock] = st.one_of(
    st.builds(Text, TEXTS),
    st.builds(Image, SOURCES),
    st.builds(Document, SOURCES, st.none() | TEXTS, st.none() | TEXTS),
    st.builds(SearchResult, TEXTS, TEXTS, st.lists(st.builds(Text, TEXTS), max_size=2).map(tuple)),
    st.builds(ToolReference, TEXTS),
    st.builds(Unknown, TEXTS, OBJECTS),
)


def parts(block: ContentBlock, *, files: bool = True) -> list[dict[str, Any]]:
    """Translate a block and forget the report."""
    return parts_of_block(block, place("messages.0.content.0"), Report(), files=files)


@cases(
    ("block", "expected"),
    [
        (Text("hi"), [responses.input_text("hi")]),
        (Text(""), []),
        (Text(" \n"), [responses.input_text(" \n")]),
        (Image(Source("base64", "image/jpeg", "AAA=")), [responses.input_image("data:image/jpeg;base64,AAA=")]),
        (Image(Source("base64", data="AAA=")), [responses.input_image("data:image/png;base64,AAA=")]),
        (
            Image(Source("base64", data="data:image/gif;base64,AA\r\nA=")),
            [responses.input_image("data:image/gif;base64,AAA=")],
        ),
        (Image(Source("url", url="https://x/y.png")), [responses.input_image("https://x/y.png")]),
        (Image(Source("file", file_id="file_1")), [responses.input_image_file("file-1")]),
        (Document(PDF), [responses.input_file_data("document.pdf", "application/pdf", "JVBE")]),
        (Document(PDF, "Plan B"), [responses.input_file_data("Plan B.pdf", "application/pdf", "JVBE")]),
        (Document(PDF, "plan.PDF"), [responses.input_file_data("plan.PDF", "application/pdf", "JVBE")]),
        (
            Document(Source("url", url="https://x/y.pdf"), "T"),
            [responses.input_text("Document: T"), responses.input_file_url("https://x/y.pdf")],
        ),
        (Document(Source("file", file_id="file_1")), [responses.input_file_id("file-1")]),
        (Document(Source("text", "text/plain", "words")), [responses.input_text("words")]),
        (Document(Source("text", "text/plain", "")), []),
        (
            Document(Source("text", "text/plain", "words"), "Title", "Why"),
            [
                responses.input_text("Context of the document below: Why"),
                responses.input_text("Document: Title"),
                responses.input_text("words"),
            ],
        ),
        (
            Document(Source("content", content=(Text("a"), Image(Source("file", file_id="f")), Unknown("x", {})))),
            [
                responses.input_text("a"),
                responses.input_image_file("f"),
                responses.input_text("<x>{}</x>"),
            ],
        ),
        (
            SearchResult("https://x", "Found", (Text("a"), Text(""))),
            [
                responses.input_text("Search result: Found\nSource: https://x"),
                responses.input_text("a"),
            ],
        ),
        (ToolReference("look"), [responses.input_text("The tool look is available from here on.")]),
        (Unknown("hologram", {"a": "ä"}), [responses.input_text('<hologram>{"a":"ä"}</hologram>')]),
    ],
    ids=lambda value: type(value).__name__,
)
def test_blocks_become_parts(block: ContentBlock, expected: list[dict[str, Any]]) -> None:
    """Every kind of block and source, with what it says about itself."""
    assert parts(block) == expected


def test_a_documents_context_stands_before_its_file() -> None:
    """What the client says about a document is not lost because the document is a file."""
    assert [part["type"] for part in parts(Document(PDF, context="Why"))] == ["input_text", "input_file"]


def test_a_server_without_files_is_told_so() -> None:
    """The file is named in its place, what is said about it stays, and the report says that it is gone."""
    report = Report()

    translated = parts_of_block(Document(PDF, context="Why"), place("messages.2.content.1"), report, files=False)

    assert translated == [
        responses.input_text("Context of the document below: Why"),
        responses.input_text("[A file that cannot be shown.]"),
    ]
    assert [(note.path, note.disposition) for note in report.notes] == [("messages.2.content.1", Disposition.DROPPED)]


def test_a_server_without_files_gets_texts() -> None:
    """A file that is text is told as such, and nothing is lost."""
    report = Report()
    table = Document(Source("base64", "text/csv", "YSxi"), "t.csv")

    assert parts_of_block(table, place("p"), report, files=False) == [responses.input_text("a,b")]
    assert report.notes == []


@pytest.mark.parametrize("block", [Text("hi"), Image(Source("url", url="u")), Document(Source("text", data="x"))])
def test_what_is_no_file_needs_no_files(block: ContentBlock) -> None:
    """Pictures and texts go everywhere, and nothing is reported."""
    report = Report()

    assert parts_of_block(block, place("p"), report, files=False) == parts(block)
    assert report.notes == []


def test_a_reference_uses_the_upstreams_name() -> None:
    """The model knows a tool by the name that it was declared under."""
    (part,) = parts(ToolReference("mcp.look"))

    assert upstream_tool_name("mcp.look") in part["text"]
    assert "mcp.look" not in part["text"]


@given(BLOCKS, st.booleans())
def test_every_block_becomes_parts_that_can_be_sent(block: ContentBlock, files: bool) -> None:
    """Nothing raises, no text is empty, and all of it is UTF-8 on the wire."""
    for part in parts(block, files=files):
        assert part["type"] in {"input_text", "input_image", "input_file"}
        assert part.get("text") != ""
        assert files or part["type"] != "input_file"
        json.encode(part).decode("utf-8")


@given(OBJECTS)
def test_an_unknown_block_is_readable(body: dict[str, Any]) -> None:
    """The model sees all of what it says, as JSON in a tag."""
    text = text_of(Unknown("thing", body))

    assert json.decode(text.removeprefix("<thing>").removesuffix("</thing>")) == body
