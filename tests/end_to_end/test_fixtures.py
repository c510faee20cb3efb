"""The phrasebook: what each of our own requests and answers becomes, word for word."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support.fixture_writer import FIXTURES, answer_said, cases, request_said, said_in, without_ids
from tests.support.judges import judge_body, judge_stream, judge_upstream_request

REQUESTS = cases("requests")
ANSWERS = cases("answers")


def name(case: Path) -> str:
    """Name a case by its folder."""
    return case.name


@pytest.mark.parametrize("case", REQUESTS, ids=name)
async def test_a_request_becomes_what_the_phrasebook_says(case: Path) -> None:
    """Upstream body and report are the written ones; `make fixtures` writes them anew."""
    said = await request_said(case)

    assert {key: json.loads(value) for key, value in said.items()} == {
        key: json.loads(value) for key, value in said_in(case).items()
    }


@pytest.mark.parametrize("case", ANSWERS, ids=name)
async def test_an_answer_becomes_what_the_phrasebook_says(case: Path) -> None:
    """The stream is the written one byte for byte, and so is the message that the same answer becomes when whole."""
    said = await answer_said(case)

    assert {key: without_ids(value) for key, value in said.items()} == said_in(case)


@pytest.mark.parametrize("case", REQUESTS, ids=name)
def test_the_upstream_would_take_what_the_phrasebook_says(case: Path, shared: Path) -> None:  # noqa: ARG001 - the judge lies there
    """The judge of requests finds nothing."""
    if (case / "upstream.json").exists():
        assert judge_upstream_request(json.loads((case / "upstream.json").read_bytes())) == []


@pytest.mark.parametrize("case", ANSWERS, ids=name)
def test_a_client_would_read_what_the_phrasebook_says(case: Path, shared: Path) -> None:  # noqa: ARG001 - the judges lie there
    """The judges of streams and bodies find nothing."""
    if (case / "client.sse").exists():
        assert judge_stream((case / "client.sse").read_bytes())[0] == []
    message = json.loads((case / "message.json").read_bytes())
    if message["type"] == "message":
        assert judge_body(message, 200) == []


def test_there_is_a_phrasebook() -> None:
    """The folder is there, with both kinds of cases: an empty one would prove nothing."""
    assert FIXTURES.is_dir()
    assert len(REQUESTS) >= 10
    assert len(ANSWERS) >= 10
