"""Errors are found wherever servers put them."""

from __future__ import annotations

import json as plain
from collections.abc import Callable
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from stages.canonical.failure import Failure, Kind
from stages.tables.error_shapes import MAX_TEXT, is_error, parsed, read_error
from stages.tables.errors import failure_of
from stages.wire import json, sse
from tests.stages.strategies import JSON
from tests.support.cases import cases

ENVELOPES: dict[str, Callable[[Any], Any]] = {
    "bare": lambda error: error,
    "openai": lambda error: {"error": error},
    "in an event": lambda error: {"type": "error", "error": error},
    "failed response": lambda error: {"status": "failed", "error": error, "output": []},
    "with a null beside": lambda error: {"error": error, "detail": None, "errors": [], "data": None},
    "list": lambda error: [{"error": error}],
    "errors": lambda error: {"errors": [error]},
    "list of errors": lambda error: {"error": [error]},
    "detail": lambda error: {"detail": error},
    "detail of detail": lambda error: {"detail": {"error": error}},
    "deeper": lambda error: {"error": {"error": error}},
    "deeper still": lambda error: {"error": {"response": {"body": {"error": error}}}},
    "raw": lambda error: {
        "error": {"message": "Provider returned error", "metadata": {"raw": json.encode({"error": error}).decode()}}
    },
    "text": lambda error: json.encode({"error": error}).decode(),
    "text in a text": lambda error: json.encode(json.encode({"error": error}).decode()).decode(),
    "text behind words": lambda error: {"error": {"message": f"Error: {plain.dumps({'error': error})}"}},
    "stream": lambda error: sse.encode("error", json.encode({"error": error})).decode(),
    "upstream error": lambda error: {"error": {"message": "Upstream request failed", "upstream_error": error}},
}
"""Ways to put an error, each of them seen."""

FIELDS = {
    "openai": {"message": "message", "code": "code"},
    "type": {"message": "message", "code": "type"},
    "msg": {"message": "msg", "code": "error_code"},
    "camel": {"message": "errorMessage", "code": "errorCode"},
    "words": {"message": "error_description", "code": "reason"},
    "status": {"message": "Message", "code": "status"},
}
"""Names that servers give to the same two things."""

ERRORS = [
    ("rate_limit_exceeded", "Slow down."),
    ("RateLimitError", "Please try again in 7s."),
    ("insufficient_quota", "You have none."),
    (
        "context_length_exceeded",
        "This model's maximum context length is 8000 tokens. Your messages resulted in 9000 tokens.",
    ),
    ("server_is_overloaded", "Overloaded"),
    ("content_filter", "No."),
    ("image_parse_error", "Invalid image."),
    ("invalid_request_error", "System message must be at the beginning."),
    ("BadRequestError", "The input (9000 tokens) is longer than the model's context length (8000 tokens)."),
]


@given(
    st.sampled_from(ERRORS),
    st.sampled_from(sorted(FIELDS)),
    st.lists(st.sampled_from(sorted(ENVELOPES)), min_size=1, max_size=3),
)
def test_any_shape_around_an_error_gives_the_same_failure(
    error: tuple[str, str], fields: str, envelopes: list[str]
) -> None:
    """Whatever an error is called and however it is wrapped, it means what it says."""
    code, message = error
    value: Any = {FIELDS[fields]["message"]: message, FIELDS[fields]["code"]: code}
    for name in envelopes:
        value = ENVELOPES[name](value)

    assert failure_of(value) == failure_of({"message": message, "code": code})
    assert failure_of(parsed(json.encode(value))) == failure_of(value)


@cases(
    ("body", "message"),
    [
        ({"error": "words"}, "words"),
        ({"detail": "words"}, "words"),
        ("words", "words"),
        ({"message": "words", "type": "t"}, "words"),
        ({"error": {"message": "outer", "details": [{"message": "aside"}]}}, "outer"),
        ({"error": {"message": "Provider returned error", "metadata": {"reason": "x", "raw": "cause"}}}, "cause"),
        ({"error": {"message": "outer", "error": {"message": "cause"}}}, "cause"),
        ({"error": {"message": "cause", "error": {"message": "Bad Request"}}}, "cause"),
        ({"detail": [{"loc": ["body", "include"], "msg": "Extra inputs are not permitted"}]}, None),
        ({"base_resp": {"status_code": 1008, "status_msg": "words"}}, "words"),
        ({"fault": {"faultstring": "words"}}, "words"),
        ({"Error": {"Message": "words", "Code": "X"}}, "words"),
        (
            "<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>",
            "502 Bad Gateway",
        ),
    ],
)
def test_the_sentence_that_says_most(body: Any, message: str | None) -> None:
    """What is deeper is nearer to the cause; what only explains, or says nothing, comes after it."""
    assert read_error(body).sentences[0] == (message or "include: Extra inputs are not permitted")


@cases(
    ("body", "places"),
    [
        ({"error": {"message": "m", "param": "reasoning.summary"}}, ("reasoning.summary",)),
        ({"error": {"message": "m", "param": None}}, ()),
        ({"detail": [{"loc": ["body", "input", 3, "phase"], "msg": "m"}]}, ("input.3.phase",)),
        ({"detail": [{"loc": ["body", "a"], "msg": "m"}, {"loc": ["body", "b"], "msg": "m"}]}, ("a", "b")),
        ({"error": {"details": [{"field": "store", "description": "m"}]}}, ("store",)),
        ({"errors": [{"path": "store", "message": "m"}]}, ("store",)),
        ({"detail": [{"loc": ["body", "ResponsesRequest", "store"], "msg": "m"}]}, ("store",)),
        ({"detail": [{"loc": ["body", "input", 3, "Message", "phase"], "msg": "m"}]}, ("input.3.Message.phase",)),
        ({"error": {"issues": [{"path": ["a"], "keys": ["b", "c"], "message": "m"}]}}, ("a.b", "a.c")),
        ({"error": '[{"path": [], "keys": ["store"], "message": "m"}] (trace 1)'}, ("store",)),
    ],
)
def test_the_places_that_it_names(body: Any, places: tuple[str, ...]) -> None:
    """As the request knows them."""
    assert read_error(body).places == places


def test_numbers_of_a_body() -> None:
    """One that could be a status is one; others are a vendor's own; nothing and success are no errors."""
    assert read_error({"error": {"code": "429"}}).status == 429
    assert read_error({"status": 503, "error": {"code": 429.0}}).status == 429
    assert read_error({"base_resp": {"status_code": 1008}}).numbers == (1008,)
    assert read_error({"code": 0, "status": 200, "type": True}) == read_error({})
    assert read_error({"error": {"details": [{"retryDelay": "17s"}]}}).wait == 17
    assert read_error({"error": {"retry_after_ms": 1500}}).wait == 1.5


@cases(
    ("body", "error"),
    [
        ({"error": {"message": "m"}}, True),
        ({"error": None, "output": []}, False),
        ({"status": "completed", "output": None}, False),
        ({"status": 503, "message": "m"}, True),
        ({"detail": "words"}, True),
        ({"object": "error", "message": "m"}, True),
        ({"output": None, "base_resp": {"status_code": 1008}}, True),
        ({"output": [], "base_resp": {"status_code": 0}}, False),
        ({"output": [{"type": "message"}], "error": {"message": "m"}}, False),
        ({"choices": []}, True),
    ],
)
def test_what_is_an_error_behind_a_good_status(body: dict[str, Any], error: bool) -> None:
    """Nothing else is said, and an error stands there."""
    assert is_error(body) is error


@given(JSON)
def test_any_json_can_be_read(value: Any) -> None:
    """And a failure with a sentence comes of it."""
    failure = failure_of(value)

    assert isinstance(failure, Failure)
    assert failure.message
    assert isinstance(is_error(value if isinstance(value, dict) else {"error": value}), bool)


@given(st.binary(max_size=200))
def test_any_bytes_can_be_read(body: bytes) -> None:
    """A body need not be JSON, nor text."""
    assert failure_of(parsed(body), status=500).kind.status >= 400


def test_what_a_large_error_costs() -> None:
    """Only so many values and characters are looked at, and so many shown, however much there is."""
    deep: Any = "end"
    for _ in range(500):
        deep = {"error": deep}
    many = {"errors": [{"message": f"m{index}"} for index in range(100_000)]}

    assert read_error(deep).sentences == ()
    assert len(read_error(many).sentences) <= 256
    assert len(failure_of("x" * 10 * MAX_TEXT).message) <= 4_000


def test_a_request_that_is_quoted_is_not_read() -> None:
    """Validators repeat what they were sent: words of a user are no words of the upstream."""
    error = {
        "type": "value_error",
        "loc": ["body", "tools"],
        "msg": "No.",
        "input": {"message": "rate limit", "code": 429},
    }

    assert failure_of({"detail": [error]}, status=422).kind is Kind.INVALID_REQUEST
