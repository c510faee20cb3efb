"""Sources that are to be cited: how the model is shown them, and how what it cited comes back."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stages.canonical.events import CitationsDelta, TextDelta, TextStart
from stages.canonical.request import Caller
from stages.citing.marks import INSTRUCTION
from stages.correlator.mark_cutter import MarkCutter
from stages.mapper import Mapped, Target, map_request
from stages.mapper.source_parts import LATER, STRUCTURED, UNREAD
from stages.tables.fields.blocks import LOOKED_UP
from stages.wire.messages_request import structure

YES = {"enabled": True}
TEXT = "The language was created by Matz in 1993. It makes programmers happy."
PLAIN: dict[str, Any] = {
    "type": "document",
    "source": {"type": "text", "media_type": "text/plain", "data": TEXT},
    "title": "facts.txt",
    "citations": YES,
}
FOUND: dict[str, Any] = {
    "type": "search_result",
    "source": "https://a.example",
    "title": "Facts",
    "content": [{"type": "text", "text": "Matz made it."}, {"type": "text", "text": "In 1993."}],
    "citations": YES,
}
PDF: dict[str, Any] = {
    "type": "document",
    "source": {"type": "base64", "media_type": "application/pdf", "data": "JVBERi0="},
    "citations": YES,
}


def mapped(*content: Any, target: Target | None = None, after: Any = (), **fields: Any) -> Mapped:
    """Map a request that shows these blocks."""
    messages = [{"role": "user", "content": list(content)}, *after]
    request = structure({"model": "claude-sonnet-5-5", "max_tokens": 900, "messages": messages, **fields})
    return map_request(request, Caller(), target or Target(), message_id="msg_1")


def shown(made: Mapped, at: int = 0) -> list[str]:
    """The texts of an item."""
    return [part.get("text", part["type"]) for part in made.body["input"][at]["content"]]


def fates(made: Mapped) -> dict[str, str]:
    """What is said of citations, by the path."""
    return {note.path: note.reason for note in made.report.notes if "citations" in note.path}


def test_a_plain_text() -> None:
    """Its sentences get numbers; what to do with them is said before, once."""
    made = mapped(PLAIN, FOUND, {"type": "text", "text": "Who made it?"})

    assert shown(made) == [
        INSTRUCTION,
        "Document 0: facts.txt",
        "[0.0] The language was created by Matz in 1993. [0.1] It makes programmers happy.",
        "Search result s0: Facts\nSource: https://a.example",
        "[s0.0] Matz made it.",
        "[s0.1] In 1993.",
        "Who made it?",
    ]
    assert fates(made) == dict.fromkeys(["messages.0.content.0.citations", "messages.0.content.1.citations"], LOOKED_UP)
    assert list(made.plan.sources) == ["0", "s0"]


def test_a_document_of_blocks() -> None:
    """Each is one piece; a picture in it is shown where it stands, and a text may be the whole of it."""
    picture = {"type": "image", "source": {"type": "url", "url": "https://i.example/a.png"}}
    content = [{"type": "text", "text": "One."}, picture, {"type": "text", "text": "Two."}]
    made = mapped({**PLAIN, "context": "c", "source": {"type": "content", "content": content}})
    alone = mapped({"type": "document", "source": {"type": "content", "content": "All."}, "citations": YES})

    assert shown(made)[1:] == [
        "Context of the document below: c",
        "Document 0: facts.txt",
        "[0.0] One.",
        "input_image",
        "[0.2] Two.",
    ]
    assert shown(alone)[1:] == ["Document 0:", "[0.0] All."]


def test_in_a_result() -> None:
    """A tool that searches brings its sources in its result."""
    call = {"role": "assistant", "content": [{"type": "tool_use", "id": "toolu_1", "name": "find", "input": {}}]}
    result = {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "toolu_1", "content": [FOUND]}]}
    made = mapped({"type": "text", "text": "hi"}, after=[call, result])

    assert [part["text"] for part in made.body["input"][-1]["output"]][-1] == "[s0.1] In 1993."
    assert fates(made) == {"messages.2.content.0.content.0.citations": LOOKED_UP}


@pytest.mark.parametrize(
    ("block", "fields", "reason"),
    [
        (PDF, {}, UNREAD),
        ({**PDF, "source": {"type": "file", "file_id": "file_1"}}, {}, UNREAD),
        (PLAIN, {"output_config": {"format": {"type": "json_schema", "schema": {"type": "object"}}}}, STRUCTURED),
        (PLAIN, {"target": Target(hosts=False)}, LATER),
    ],
)
def test_what_cannot_be_cited(block: dict[str, Any], fields: dict[str, Any], reason: str) -> None:
    """Is shown as ever, and the report says why."""
    made, plain = mapped(block, **fields), mapped({**block, "citations": {"enabled": False}}, **fields)

    assert fates(made) == {"messages.0.content.0.citations": reason}
    assert made.plan.sources == {}
    assert made.body["input"] == plain.body["input"]


def test_beside_a_search() -> None:
    """The upstream's annotations are about a text with marks."""
    search = {"type": "web_search_20250305", "name": "web_search"}
    notes = mapped(PLAIN, tools=[search]).report.notes

    assert [note.path for note in notes if "the pages of a search are not" in note.reason] == ["tools"]


def told(text: str, made: Mapped) -> list[dict[str, Any]]:
    """The blocks that a client is told of a text with marks."""
    cutter = MarkCutter(made.plan.sources)
    found: list[dict[str, Any]] = []
    for event in [*cutter.feed(text), *cutter.finish()]:
        if isinstance(event, TextStart):
            found.append({"type": "text", "text": ""} | ({"citations": []} if event.cited else {}))
        elif isinstance(event, CitationsDelta):
            found[-1]["citations"].append(event.citation)
        elif isinstance(event, TextDelta):
            found[-1]["text"] += event.text
    return found


_WORDS = st.text(st.sampled_from("ab."), min_size=1, max_size=6)
_CITED = st.builds(
    '<cite refs="{}">{}</cite>{}'.format,
    st.sampled_from(["0.0", "0.1", "0.0-1", "s0.0 0.1", "s0.1"]),
    _WORDS,
    st.sampled_from(["", " ", "\n"]),
)


@given(st.lists(st.one_of(_WORDS, _CITED), min_size=1, max_size=6))
def test_what_was_cited_comes_back(parts: list[str]) -> None:
    """In the next turn the model reads the text that it wrote, marks and all, behind the bytes of this one (law 9)."""
    text = "".join(parts)
    first = mapped(PLAIN, FOUND)
    answer = {"role": "assistant", "content": told(text, first)}
    second = mapped(PLAIN, FOUND, after=[answer, {"role": "user", "content": "ok"}])

    before = len(first.body["input"])
    assert second.body["input"][:before] == first.body["input"]
    assert second.body["input"][before]["content"] == text
    assert not [note for note in second.report.notes if note.disposition.value == "dropped"]
