"""An upstream's errors in Anthropic's terms."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stages.canonical.failure import Failure, Kind
from stages.canonical.plan import AnswerPlan
from stages.tables.errors import BY_CODE, BY_STATUS, OVERFLOW, failure_of, refuses_reasoning, too_long
from tests.stages.strategies import JSON

PLAN = AnswerPlan("msg_1", "claude-x", "gpt-x", window=1000, input_tokens=1200)
GENERIC = {"invalid_request_error", "server_error"}


@pytest.mark.parametrize(
    ("error", "status", "kind"),
    [
        ({"type": "server_error"}, 529, Kind.OVERLOADED),
        ({"type": "server_error"}, 504, Kind.TIMEOUT),
        ({"type": "server_error"}, 502, Kind.UPSTREAM),
        ({"type": "server_error"}, 500, Kind.UPSTREAM),
        ({"code": "server_error"}, None, Kind.UPSTREAM),
        ({"type": "invalid_request_error"}, 404, Kind.NOT_FOUND),
        ({"type": "invalid_request_error"}, 413, Kind.TOO_LARGE),
        ({"type": "invalid_request_error"}, None, Kind.INVALID_REQUEST),
        ({"type": "invalid_request_error", "code": "invalid_api_key"}, 401, Kind.AUTHENTICATION),
        ({"type": "tokens", "code": "rate_limit_exceeded"}, 429, Kind.RATE_LIMIT),
        ({"type": "insufficient_quota", "code": "insufficient_quota"}, 429, Kind.QUOTA),
    ],
)
def test_the_kind_of_an_error(error: dict[str, Any], status: int | None, kind: Kind) -> None:
    """A code that says something counts, then the status; a type that only tells whose fault it was does not."""
    assert failure_of({"message": "No.", **error}, status=status).kind is kind


@pytest.mark.parametrize(("code", "kind"), BY_CODE.items())
def test_every_code_has_its_kind(code: str, kind: Kind) -> None:
    """As `code` or as `type`, with any status that says less."""
    for field in ("code", "type"):
        assert failure_of({field: code, "message": "No."}).kind is kind
        if code not in GENERIC:
            assert failure_of({field: code, "message": "No."}, status=400).kind is kind


@pytest.mark.parametrize(("status", "kind"), BY_STATUS.items())
def test_every_status_has_its_kind(status: int, kind: Kind) -> None:
    """Where no code says more, whether there is an unknown one or none."""
    assert failure_of({"message": "No."}, status=status).kind is kind
    assert failure_of({"message": "No.", "code": "unheard_of"}, status=status).kind is kind


@pytest.mark.parametrize(
    ("status", "kind"),
    [(418, Kind.INVALID_REQUEST), (502, Kind.UPSTREAM), (599, Kind.UPSTREAM), (None, Kind.UPSTREAM)],
)
def test_other_statuses_say_whose_fault_it_was(status: int | None, kind: Kind) -> None:
    """Ours or theirs; inside a stream it is theirs."""
    assert failure_of({}, status=status).kind is kind


@pytest.mark.parametrize(
    ("error", "cause"),
    [
        ({"code": "unheard_of", "type": "other"}, "unheard_of"),
        ({"code": "", "type": "other"}, "other"),
        ({"code": 5}, None),
        ({}, None),
    ],
)
def test_the_cause_is_the_upstreams_own_word(error: dict[str, Any], cause: str | None) -> None:
    """For the log, where it says more than our kind."""
    assert failure_of(error).cause == cause


@pytest.mark.parametrize("message", [None, "", 5, {}])
def test_there_is_always_a_sentence(message: Any) -> None:
    """A person must read something."""
    assert failure_of({"message": message}).message == "The upstream reported an error without a message."


def test_a_rate_limit_always_says_when() -> None:
    """Five seconds without a word; what the upstream says counts, and nobody else is made to wait."""
    limited = {"code": "rate_limit_exceeded", "message": "slow"}

    assert failure_of(limited).retry_after == 5
    assert failure_of(limited, retry_after=0).retry_after == 0
    assert failure_of(limited, retry_after=7).retry_after == 7
    assert failure_of({"code": "insufficient_quota"}).retry_after is None
    assert failure_of({"code": "server_is_overloaded"}, retry_after=3).retry_after == 3


@pytest.mark.parametrize(
    ("message", "wait"),
    [
        ("Rate limit reached for gpt-x. Please try again in 6.2s. Visit the page.", 7),
        ("Rate limit reached. Please try again in 120ms.", 1),
        ("Rate limit reached. Please try again in 1m26.4s", 87),
        ("Rate limit reached. Please try again in a moment.", 5),
        ("Please try again in 5 minutes", 5),
    ],
)
def test_a_rate_limit_inside_a_stream_says_when_in_words(message: str, wait: int) -> None:
    """There are no headers any more when a stream breaks off; what the headers said counts where there are some."""
    assert failure_of({"code": "rate_limit_exceeded", "message": message}).retry_after == wait
    assert failure_of({"code": "rate_limit_exceeded", "message": message}, status=429, retry_after=3).retry_after == 3


def test_a_request_above_the_limit_of_a_minute_is_not_tried_again() -> None:
    """Waiting does not make it smaller."""
    message = "Request too large for gpt-x on tokens per min (TPM): Limit 30000, Requested 50000."
    failure = failure_of({"type": "tokens", "code": "rate_limit_exceeded", "message": message}, status=429)

    assert (failure.kind, failure.retry_after) == (Kind.QUOTA, None)


TOO_LONG = "prompt is too long: 150000 tokens > 128000 maximum"


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (
            {
                "message": "This model's maximum context length is 128000 tokens. "
                "However, your messages resulted in 150000 tokens."
            },
            TOO_LONG,
        ),
        (
            {"message": "request (150000 tokens) exceeds the available context size (128000 tokens), try increasing"},
            TOO_LONG,
        ),
        ({"message": TOO_LONG}, TOO_LONG),
        (
            {
                "message": "This model's maximum context length is 1000 tokens. However, you requested 1500 tokens "
                "(700 in the messages, 800 in the completion)."
            },
            "input length and `max_tokens` exceed context limit: 700 + 800 > 1000",
        ),
        (
            {
                "message": "This model's maximum context length is 1000 tokens. However, you requested 1500 tokens "
                "(1400 in the messages, 100 in the completion)."
            },
            "prompt is too long: 1500 tokens > 1000 maximum",
        ),
        (
            {"code": "context_length_exceeded", "message": "no numbers"},
            "prompt is too long: 1200 tokens > 1000 maximum",
        ),
        ({"type": "exceed_context_size_error"}, "prompt is too long: 1200 tokens > 1000 maximum"),
        (
            {"message": "Your input exceeds the context window of this model."},
            "prompt is too long: 1200 tokens > 1000 maximum",
        ),
    ],
)
def test_overflow_has_anthropics_sentence(error: dict[str, Any], message: str) -> None:
    """Claude Code compacts on exactly these words, whoever noticed and however they said it."""
    failure = failure_of(error, status=400, plan=PLAN)

    assert failure == Failure(Kind.INVALID_REQUEST, message, cause=OVERFLOW)


def test_an_overflow_without_numbers_or_plan_is_still_one() -> None:
    """Better a sentence with odd numbers than a client that does not compact."""
    assert failure_of({"code": OVERFLOW}).message == "prompt is too long: 1 tokens > 0 maximum"


@pytest.mark.parametrize("kind", ["rate_limit_exceeded", "invalid_api_key"])
def test_words_alone_do_not_make_an_overflow(kind: str) -> None:
    """A code that says something else counts more."""
    assert failure_of({"code": kind, "message": "context window tokens per minute"}).cause == kind


@given(st.integers(min_value=0), st.integers(min_value=0))
def test_what_is_too_long_is_longer(tokens: int, maximum: int) -> None:
    """The first number is never at or below the second, whatever was counted."""
    said, limit = (int(word) for word in too_long(tokens, maximum).split() if word.isdigit())

    assert (said > limit, limit) == (True, maximum)


@pytest.mark.parametrize(
    "message",
    [
        "Invalid 'max_output_tokens': integer above maximum value. Expected a value <= 128000, but got 200000 instead.",
        "max_tokens is too large: 200000. This model supports at most 128000 completion tokens",
    ],
)
def test_too_many_output_tokens(message: str) -> None:
    """Claude Code lowers its limit on this sentence."""
    told = failure_of({"message": message, "type": "invalid_request_error"}, status=400).message

    assert told == "max_tokens: 200000 > 128000, which is the maximum allowed number of output tokens for this model"


@pytest.mark.parametrize(("message", "told"), [("no gpt-9", "model: no gpt-9"), ("model: gpt-9", "model: gpt-9")])
def test_a_missing_model_is_named_as_one(message: str, told: str) -> None:
    """Once, with Anthropic's prefix."""
    assert failure_of({"code": "model_not_found", "message": message}).message == told


@pytest.mark.parametrize(
    ("failure", "refused"),
    [
        (Failure(Kind.INVALID_REQUEST, "x", cause="invalid_encrypted_content"), True),
        (Failure(Kind.INVALID_REQUEST, "The encrypted content for item rs_1 could not be verified."), True),
        (Failure(Kind.INVALID_REQUEST, "Item with id 'rs_1' not found."), True),
        (
            Failure(
                Kind.INVALID_REQUEST,
                "Item 'rs_1' of type 'reasoning' was provided without its required following item.",
            ),
            True,
        ),
        (Failure(Kind.INVALID_REQUEST, "Item with id 'msg_1' not found."), False),
        (Failure(Kind.UPSTREAM, "Item with id 'rs_1' not found.", cause="invalid_encrypted_content"), False),
    ],
)
def test_what_a_retry_without_reasoning_heals(failure: Failure, refused: bool) -> None:
    """Only a request that was refused because of the reasoning in it."""
    assert refuses_reasoning(failure) is refused


@pytest.mark.parametrize("status", [None, 400, 404])
@pytest.mark.parametrize(
    "error",
    [
        {"code": "invalid_encrypted_content", "message": "No."},
        {"type": "invalid_request_error", "code": "invalid_encrypted_content", "message": "No."},
        {"code": None, "message": "The encrypted content gAAA...xyz could not be decrypted or parsed."},
        {"message": "Item with id 'rs_1' not found. Items are not persisted when `store` is set to false."},
        {"message": "Item 'rs_1' of type 'reasoning' was provided without its required following item."},
    ],
)
def test_every_form_of_a_refusal_is_recognised(error: dict[str, Any], status: int | None) -> None:
    """With 400, with 404, and inside a stream, with a code or with the sentence alone; no model is blamed for it."""
    failure = failure_of(error, status=status)

    assert refuses_reasoning(failure)
    assert failure.message == error["message"]


@given(st.dictionaries(st.sampled_from(["code", "type", "message", "param"]), JSON), st.none() | st.integers(100, 999))
def test_any_error_becomes_a_failure(error: dict[str, Any], status: int | None) -> None:
    """Whatever an upstream sends, it has a kind and a sentence."""
    failure = failure_of(error, status=status, plan=PLAN)

    assert failure.message
    assert isinstance(failure.kind, Kind)
