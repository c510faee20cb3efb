"""Whole answers: frames, pauses, headers, and what is broken on purpose."""

from __future__ import annotations

import pytest

from pipeline.emulator.answer import answer
from pipeline.emulator.conversation import DIRECTIVES
from stages.wire import json
from tests.pipeline.emulator.talk import asked, streamed
from tests.support.cases import cases


def test_cut_streams_have_no_last_event() -> None:
    """Text, then nothing; without a stream the JSON is cut."""
    told = streamed(asked("[[cut]]"))

    assert told[-1]["type"] == "response.output_text.delta"
    with pytest.raises(json.MalformedJson):
        json.decode(answer(asked("[[cut]]")).data)


def test_garbage_is_one_broken_frame() -> None:
    """All other frames are as they would be without it."""
    frames = [frame.data for frame in answer(asked("[[garbage]]", stream=True)).frames]
    whole = []
    for data in frames:
        try:
            whole.append(json.decode(data.split(b"data: ", 1)[1]))
        except json.MalformedJson:
            continue

    assert len(whole) == len(frames) - 1
    assert [event["sequence_number"] for event in whole] == list(range(len(whole)))
    assert whole[-1]["type"] == "response.completed"


def test_json_instead_of_a_stream() -> None:
    """The content type is JSON, and so is the body, although a stream was asked for."""
    told = answer(asked("[[json]]", stream=True))

    assert told.headers["content-type"] == "application/json"
    assert json.decode(told.data)["object"] == "response"


@cases("word", DIRECTIVES)
def test_the_same_request_gets_the_same_answer(word: str) -> None:
    """Ids, seals and padding come from the request, not from chance or a clock."""
    request = asked(f"[[{word}]]", reasoning={"effort": "low"}, include=["reasoning.encrypted_content"], stream=True)

    assert answer(request) == answer(request)
    assert answer(request).data == answer(request).data


def test_headers() -> None:
    """An answer has a request id and the rate limits, an error has only the id."""
    good, bad = answer(asked("hi")), answer({})

    assert good.headers["x-request-id"].startswith("req_")
    assert len(good.headers["x-request-id"]) == 36
    assert good.headers["x-ratelimit-reset-tokens"] == "12ms"
    assert "x-request-id" in bad.headers
    assert "x-ratelimit-reset-tokens" not in bad.headers


@pytest.mark.parametrize(("prompt", "pauses"), [("[[long 3]]", {None}), ("[[slow 2]]", {2.0})])
def test_pauses_stand_before_deltas(prompt: str, pauses: set[float | None]) -> None:
    """Deltas have the sender's pace or the cue's, and all other events follow at once."""
    told = answer(asked(prompt, stream=True))

    assert {frame.pause for frame in told.frames if b'"delta"' in frame.data} == pauses
    assert {frame.pause for frame in told.frames if b'"delta"' not in frame.data} == {0.0}
