"""Recorded requests with documents, pictures and findings, and recorded answers as history: what goes upstream."""

from __future__ import annotations

import json as plain
from pathlib import Path
from typing import Any

import pytest

from stages.canonical.report import Disposition
from stages.canonical.request import Caller, Request
from stages.decoder import decode_request
from stages.mapper import Mapped, Target, map_request
from stages.wire import json
from tests.conftest import SHARED
from tests.support.items import parts_of
from tests.support.judges import judge_upstream_request

TOPICS = ("citations", "files", "multimodal", "web_fetch", "web_search")

QUESTION = {"role": "user", "content": "hi"}


def _load(path: Path) -> dict[str, Any]:
    record: dict[str, Any] = plain.loads((SHARED / "recordings/anthropic" / path).read_bytes())
    return record


def _recorded() -> list[Path]:
    root = SHARED / "recordings/anthropic"
    return [path.relative_to(root) for topic in TOPICS for path in sorted((root / topic).glob("*.json"))]


def _mapped(body: dict[str, Any]) -> Mapped:
    request = decode_request(json.encode(body))
    assert isinstance(request, Request), request
    mapped = map_request(request, Caller(), Target(), message_id="msg_1")
    assert judge_upstream_request(mapped.body) == []
    return mapped


def _asks(path: Path) -> bool:
    body = _load(path)["request"]
    return isinstance(body, dict) and "messages" in body


def _answers(path: Path) -> bool:
    body = _load(path)["body"]
    return isinstance(body, dict) and body.get("role") == "assistant"


@pytest.mark.usefixtures("shared")
@pytest.mark.parametrize("path", [path for path in _recorded() if _asks(path)], ids=str)
def test_recorded_requests(path: Path) -> None:
    """They map onto requests that the upstream takes, and each wish for citations is named where it stands."""
    body = _load(path)["request"]
    mapped = _mapped(body)

    asked = [
        f"messages.{at}.content.{index}"
        for at, message in enumerate(body["messages"])
        for index, block in enumerate(message["content"] if isinstance(message["content"], list) else ())
        if (block.get("citations") or {}).get("enabled")
    ]
    fates = {note.path: note.disposition for note in mapped.report.notes}
    assert {fates.get(f"{where}.citations") for where in asked} <= {Disposition.DROPPED, Disposition.EMULATED}


@pytest.mark.usefixtures("shared")
@pytest.mark.parametrize("path", [path for path in _recorded() if _answers(path)], ids=str)
def test_recorded_answers_as_history(path: Path) -> None:
    """Texts of another service stay texts, and what they cited is named as gone."""
    answer = _load(path)["body"]
    said = {"role": "assistant", "content": answer["content"]}
    body = {"model": "claude-sonnet-5-5", "max_tokens": 9, "messages": [QUESTION, said, QUESTION]}
    mapped = _mapped(body)

    texts = [block["text"] for block in answer["content"] if block["type"] == "text" and block["text"].strip()]
    sent = [part for item in mapped.body["input"] if item.get("role") == "assistant" for part in parts_of(item)]
    assert [text for text in texts if text not in [part["text"] for part in sent]] == []
    assert not any(part["annotations"] for part in sent)
    dropped = {note.path for note in mapped.report.notes if note.disposition is Disposition.DROPPED}
    assert {
        f"messages.1.content.{index}.citations"
        for index, block in enumerate(answer["content"])
        if block.get("citations")
    } <= dropped


def _everything() -> dict[str, Any]:
    """A request with every kind of document that there is, in every place that takes one."""
    text = {"type": "text", "media_type": "text/plain", "data": "words"}
    base64 = {"type": "base64", "media_type": "text/csv", "data": "YSxi"}
    picture = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AAAA"}}
    blocks = [{"type": "text", "text": "a"}, picture]
    sources: list[dict[str, Any]] = [
        text,
        base64,
        {"type": "base64", "media_type": "application/pdf", "data": "JVBE\nRi0="},
        {"type": "url", "url": "https://x.example/y.pdf"},
        {"type": "file", "file_id": "file_Ab1"},
        {"type": "content", "content": "words"},
        {"type": "content", "content": blocks},
    ]
    documents = [{"type": "document", "source": source, "title": "A title: 1", "context": "C"} for source in sources]
    found = {"type": "search_result", "source": "https://x", "title": "T", "content": [blocks[0], blocks[0]]}
    content = [*documents, found, {**picture, "transformations": {"oversized_image": "error"}}]
    call = {"type": "tool_use", "id": "toolu_1", "name": "look", "input": {}}
    result = {"type": "tool_result", "tool_use_id": "toolu_1", "content": [*documents, found]}
    return {
        "model": "claude-opus-5-5",
        "max_tokens": 9,
        "messages": [
            {"role": "user", "content": [*content, {"type": "container_upload", "file_id": "file_1"}]},
            {"role": "assistant", "content": [call]},
            {"role": "user", "content": [result]},
            {"role": "system", "content": documents[:1]},
        ],
    }


@pytest.mark.usefixtures("shared")
def test_every_document_everywhere() -> None:
    """Each arrives with its title and context, in messages, results and system messages alike."""
    mapped = _mapped(_everything())

    whole = json.encode(mapped.body["input"]).decode()
    assert whole.count("A title: 1") + whole.count("A title_ 1") >= 15
    assert whole.count("Context of the document below: C") == 15
    assert whole.count('"file_id":"file-Ab1"') == 2
    assert whole.count("data:text/csv;base64,YSxi") == 2
    paths = {note.path: note.disposition for note in mapped.report.notes}
    assert paths["messages.0.content.8.transformations.oversized_image"] is Disposition.DROPPED
    assert paths["messages.0.content.9"] in (Disposition.APPROXIMATED, Disposition.DROPPED)


def test_citations_are_refused_by_name_where_faithfulness_is_asked() -> None:
    """The first unfaithful note is the wish that a file be cited, in a message or inside a result; texts are."""
    body = _everything()
    body["messages"][0]["content"] = [
        {**body["messages"][0]["content"][at], "citations": {"enabled": True}} for at in (2, 0)
    ]
    note = _mapped_quietly(body).report.unfaithful()
    assert note is not None
    assert note.path == "messages.0.content.0.citations"

    body = _everything()
    body["messages"][0]["content"] = "hi"
    for at in (3, 7):
        body["messages"][2]["content"][0]["content"][at]["citations"] = {"enabled": True}
    note = _mapped_quietly(body).report.unfaithful()
    assert note is not None
    assert note.path == "messages.2.content.0.content.3.citations"


def _mapped_quietly(body: dict[str, Any]) -> Mapped:
    request = decode_request(json.encode(body))
    assert isinstance(request, Request)
    return map_request(request, Caller(), Target(), message_id="msg_1")
