"""Paths, and bodies that are no requests."""

from __future__ import annotations

import pytest

from pipeline.emulator.emulator import EMULATED_MODELS, Emulator
from stages.wire import json


@pytest.mark.parametrize("base", ["", "/v1", "/openai/v1"])
def test_only_the_end_of_a_path_matters(base: str) -> None:
    """Any base path leads to the same three endpoints."""
    emulator = Emulator()
    body = json.encode({"model": "m", "input": "hi"})

    assert emulator.respond("POST", f"{base}/responses", body).body["object"] == "response"
    assert emulator.respond("POST", f"{base}/responses/input_tokens", body).body["object"] == "response.input_tokens"
    assert len(emulator.respond("GET", f"{base}/models").body["data"]) == len(EMULATED_MODELS)


@pytest.mark.parametrize(("method", "path"), [("GET", "/v1/responses"), ("POST", "/v1/models"), ("POST", "/v1/chat")])
def test_other_paths_are_not_found(method: str, path: str) -> None:
    """404 in the API's words."""
    told = Emulator().respond(method, path)

    assert (told.status, told.body["error"]["message"]) == (404, f"Invalid URL ({method} {path})")


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff"])
@pytest.mark.parametrize("path", ["/responses", "/responses/input_tokens"])
def test_bodies_that_are_no_objects(body: bytes, path: str) -> None:
    """400, and nothing is remembered."""
    emulator = Emulator()

    assert emulator.respond("POST", path, body).status == 400
    assert emulator.requests == emulator.counted == []


def test_counting_takes_fewer_parameters() -> None:
    """`max_output_tokens` is no business of the counting endpoint."""
    body = json.encode({"model": "m", "input": "hi", "max_output_tokens": 50})

    assert Emulator().respond("POST", "/responses/input_tokens", body).body["error"]["param"] == "max_output_tokens"


def test_memory_is_bounded() -> None:
    """Only the latest requests are kept."""
    emulator = Emulator(remembered=2)
    for name in "abc":
        emulator.respond("POST", "/responses", json.encode({"model": "m", "input": name}))

    assert [request["input"] for request in emulator.requests] == ["b", "c"]


def test_the_cache_lives_as_long_as_the_emulator() -> None:
    """The same request asked twice is cached the second time."""
    emulator = Emulator()
    body = json.encode({"model": "m", "input": "hello there"})
    cached = [
        emulator.respond("POST", "/responses", body).body["usage"]["input_tokens_details"]["cached_tokens"]
        for _ in range(2)
    ]

    assert cached[0] == 0 < cached[1]


def test_no_content_in_a_repr() -> None:
    """Whoever prints an answer sees no word of it."""
    told = Emulator().respond("POST", "/responses", json.encode({"model": "m", "input": "[[text]]", "user": "someone"}))

    assert "dragoman's" not in repr(told)
    assert "someone" not in repr(told)
