"""Documents: files under names that fit, texts as text, and what is said about them beside them."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stages.canonical.request import Document, Source
from stages.mapper.documents import document_parts, filename, text_instead
from stages.tables.media_types import ENDINGS, ending_of
from stages.wire import responses_request as responses
from tests.stages.strategies import TEXTS
from tests.support.cases import cases

DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"


def file(media_type: str | None, text: str = "a,b", **fields: Any) -> Document:
    """A document of these bytes."""
    data = base64.b64encode(text.encode()).decode()
    return Document(Source("base64", media_type, data), **fields)


def data(media_type: str, name: str, text: str = "a,b") -> dict[str, Any]:
    """The part of a file."""
    return responses.input_file_data(name, media_type, base64.b64encode(text.encode()).decode())


@cases(
    ("block", "expected"),
    [
        (file("application/pdf"), [data("application/pdf", "document.pdf")]),
        (file(None), [data("application/pdf", "document.pdf")]),
        (file(DOCX, title="Plan"), [data(DOCX, "Plan.docx")]),
        (file("text/csv", title="data.csv"), [data("text/csv", "data.csv")]),
        (file("TEXT/HTML; charset=utf-8", title="a.htm"), [data("text/html", "a.htm")]),
        (file("application/json"), [data("application/json", "document.json")]),
        (file("application/x-odd"), [data("application/x-odd", "document.bin")]),
        (
            file("application/pdf", title="../a:b"),
            [responses.input_text("Document: ../a:b"), data("application/pdf", ".._a_b.pdf")],
        ),
        (file("text/plain", "words"), [responses.input_text("words")]),
        (file("text/plain", "\ufeffwörds"), [responses.input_text("wörds")]),
        (file("text/plain", ""), []),
        (
            file("text/markdown", "# a", title="T", context="C"),
            [
                responses.input_text("Context of the document below: C"),
                responses.input_text("Document: T"),
                responses.input_text("# a"),
            ],
        ),
        (
            Document(Source("base64", "text/plain", "/w==")),
            [responses.input_file_data("document.txt", "text/plain", "/w==")],
        ),
        (
            Document(Source("base64", "image/png", "AAA=")),
            [responses.input_image("data:image/png;base64,AAA=")],
        ),
        (
            Document(Source("base64", None, "data:text/csv;base64,YSxi"), "t"),
            [data("text/csv", "t.csv")],
        ),
        (Document(Source("base64", "application/pdf", "JV\r\nBE ")), [data("application/pdf", "document.pdf", "%PD")]),
        (
            Document(Source("url", url="https://x/y.pdf"), "T", "C"),
            [
                responses.input_text("Context of the document below: C"),
                responses.input_text("Document: T"),
                responses.input_file_url("https://x/y.pdf"),
            ],
        ),
        (
            Document(Source("url", url="data:application/pdf;base64,JVBE")),
            [data("application/pdf", "document.pdf", "%PD")],
        ),
        (
            Document(Source("file", file_id="file_Ab1"), "T"),
            [responses.input_text("Document: T"), responses.input_file_id("file-Ab1")],
        ),
        (
            Document(Source("text", "text/plain", "words"), "T"),
            [responses.input_text("Document: T"), responses.input_text("words")],
        ),
    ],
)
def test_documents_become_parts(block: Document, expected: list[dict[str, Any]]) -> None:
    """Each kind of source, with its title where no file's name tells it in full, and its context."""
    assert document_parts(block) == expected


@pytest.mark.parametrize(
    ("block", "text"),
    [
        (file("text/csv"), "a,b"),
        (file("application/ld+json", "{}"), "{}"),
        (file("application/pdf"), None),
        (file("text/csv", ""), None),
        (Document(Source("base64", "text/csv", "/w==")), None),
        (Document(Source("file", file_id="file_1")), None),
    ],
)
def test_text_instead_of_a_file(block: Document, text: str | None) -> None:
    """What is text can be told where files are not taken."""
    (part,) = document_parts(block)

    assert text_instead(part) == (None if text is None else responses.input_text(text))


@given(st.none() | TEXTS, st.sampled_from(sorted(ENDINGS)) | TEXTS)
def test_any_title_makes_a_name(title: str | None, media_type: str) -> None:
    """Short, with one ending, and without what leads out of a folder."""
    name = filename(title, media_type)

    assert "." in name
    assert 1 < len(name) <= 210
    assert not set(name) & set('/\\:*?"<>|\n')
    assert filename(name, media_type) == name or len(name) > 200 or name != name.strip()


@cases("media_type", sorted(ENDINGS))
def test_the_ending_tells_the_type(media_type: str) -> None:
    """The upstream goes by it."""
    assert filename("a", media_type) == f"a.{ending_of(media_type)}"
