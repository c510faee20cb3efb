"""An upstream's errors in Anthropic's terms."""

from __future__ import annotations

from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stages.canonical.failure import Kind
from stages.canonical.plan import AnswerPlan
from stages.tables.errors import BY_CODE, BY_NUMBER, BY_STATUS, NO_SENTENCE, failure_of
from stages.tables.overflows import too_long
from tests.stages.strategies import JSON
from tests.support.cases import cases

PLAN = AnswerPlan("msg_1", "claude-x", "gpt-x", window=1000, input_tokens=1200)
GENERIC = {
    *("invalid_request_error", "server_error", "internal_server_error", "internal_error", "internal", "api_error"),
    *("invalid_value", "invalid_type", "unknown_parameter", "unsupported_parameter", "unsupported_value"),
    *("unrecognized_request_argument", "missing_required_parameter", "extra_forbidden"),
    *("bad_request", "invalid_argument", "invalid_parameter", "unprocessable_entity", "validation_error", "not_found"),
}
"""Codes that only say whose fault it was."""


@cases(
    ("error", "status", "kind"),
    [
        ({"type": "server_error"}, 529, Kind.OVERLOADED),
        ({"type": "server_error"}, 504, Kind.TIMEOUT),
        ({"type": "server_error"}, 502, Kind.UPSTREAM),
        ({"type": "server_error"}, 500, Kind.UPSTREAM),
        ({"code": "server_error"}, None, Kind.UPSTREAM),
        ({"type": "invalid_request_error"}, 404, Kind.MISCONFIGURED),
        ({"type": "invalid_request_error", "message": "No such file: file-1"}, 404, Kind.NOT_FOUND),
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


@cases(("code", "kind"), BY_CODE.items())
def test_every_code_has_its_kind(code: str, kind: Kind) -> None:
    """As `code` or as `type`, with any status that says less."""
    for field in ("code", "type"):
        if code != "not_found":
            assert failure_of({field: code, "message": "No."}).kind is kind
        if code not in GENERIC:
            assert failure_of({field: code, "message": "No."}, status=400).kind is kind


@cases(("status", "kind"), BY_STATUS.items())
def test_every_status_has_its_kind(status: int, kind: Kind) -> None:
    """Where no code says more, whether there is an unknown one or none."""
    message = "No file." if status == 404 else "No."
    assert failure_of({"message": message}, status=status).kind is kind
    assert failure_of({"message": message, "code": "unheard_of"}, status=status).kind is kind
    assert failure_of({"message": message, "code": status}).kind is kind
    assert failure_of({"message": message, "code": str(status)}, status=500).kind is kind


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
    assert failure_of({"message": message}).message == NO_SENTENCE
    assert failure_of({"message": message}, status=502).message == "The upstream answered with status 502."


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
        ("Please try again in 5 minutes", 300),
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


@pytest.mark.parametrize("kind", ["rate_limit_exceeded", "invalid_api_key"])
def test_words_alone_do_not_make_an_overflow(kind: str) -> None:
    """A code that says something else counts more."""
    assert failure_of({"code": kind, "message": "context window tokens per minute"}).cause == kind


@given(st.integers(min_value=0), st.integers(min_value=0))
def test_what_is_too_long_is_longer(tokens: int, maximum: int) -> None:
    """The first number is never at or below the second, whatever was counted."""
    said, limit = (int(word) for word in too_long(tokens, maximum).split() if word.isdigit())

    assert (said > limit, limit) == (True, maximum)


@pytest.mark.parametrize(("message", "told"), [("no gpt-9", "model: no gpt-9"), ("model: gpt-9", "model: gpt-9")])
def test_a_missing_model_is_named_as_one(message: str, told: str) -> None:
    """Once, with Anthropic's prefix."""
    assert failure_of({"code": "model_not_found", "message": message}).message == told


@pytest.mark.parametrize("status", [None, 400, 404])
@pytest.mark.parametrize(
    "error",
    [
        {"code": None, "message": "The encrypted content gAAA...xyz could not be decrypted or parsed."},
        {"message": "Item with id 'rs_1' not found. Items are not persisted when `store` is set to false."},
        {"message": "Item 'rs_1' of type 'reasoning' was provided without its required following item."},
    ],
)
def test_no_model_is_blamed_for_reasoning(error: dict[str, Any], status: int | None) -> None:
    """A missing item is a 404 like a missing model."""
    failure = failure_of(error, status=status)

    assert (failure.kind, failure.message) == (Kind.INVALID_REQUEST, error["message"])


@cases(("number", "kind"), BY_NUMBER.items())
def test_numbers_of_a_vendors_own(number: int, kind: Kind) -> None:
    """They count where the status says nothing, and no more than a status that does."""
    for told in ({"base_resp": {"status_code": number, "status_msg": "file"}}, {"error": {"code": str(number)}}):
        expected = Kind.MISCONFIGURED if kind is Kind.NOT_FOUND and "error" in told else kind
        assert failure_of(told, status=200).kind is expected
        assert failure_of(told, status=403).kind is Kind.PERMISSION


KEYED = attrs.evolve(PLAN, keyed=True)


def test_the_gateways_own_key_is_no_clients_fault() -> None:
    """A client with a key of the gateway's cannot mend the upstream's, and need not see any of it."""
    error = {"error": {"code": "invalid_api_key", "message": "Incorrect API key provided: sk-proj-abcdefgh1234"}}
    own, theirs = (failure_of(error, status=401, plan=plan) for plan in (PLAN, KEYED))

    assert (own.kind, own.message) == (Kind.AUTHENTICATION, error["error"]["message"])
    assert (theirs.kind.status, theirs.kind.error_type, theirs.kind.should_retry) == (500, "api_error", False)
    assert "key" not in theirs.message
    assert (
        "abcdefgh" not in failure_of({"message": "No access for sk-proj-abcdefgh1234"}, status=403, plan=KEYED).message
    )


@pytest.mark.parametrize(
    "error",
    [
        {"detail": "Not Found"},
        {"error": {"message": "Invalid URL (POST /v1/v1/responses)", "type": "invalid_request_error"}},
        {"error": {"code": "404", "message": "Resource not found"}},
        "404 page not found",
        "<html><head><title>404 Not Found</title></head><body>nginx</body></html>",
        "",
    ],
)
def test_a_404_that_is_no_missing_model(error: Any) -> None:
    """Claude Code would tell its user to choose another model, whatever the sentence says."""
    failure = failure_of(error, status=404)

    assert failure.kind is Kind.MISCONFIGURED
    assert failure.message.startswith("The upstream answered 404, and not about a model")


@cases("status", [400, 404])
@cases(
    "message",
    [
        "The model `gpt-9` does not exist or you do not have access to it.",
        'model "gpt-9" not found, try pulling it first',
        "gpt-9 is not a valid model ID",
        "Unknown model: gpt-9",
        "models/gpt-9 is not found for API version v1",
        "The API deployment for this resource does not exist.",
        "Model gpt-9 is not supported",
        "The model 'gpt-9' is currently not deployed",
        "The provided model identifier is invalid.",
        "The model gpt-9 has been retired",
        "There is no model named gpt-9",
        "No endpoints found for gpt-9.",
        "No models loaded. Please load a model first.",
    ],
)
def test_a_missing_model_in_everybodys_words(message: str, status: int) -> None:
    """With the prefix by which Anthropic names it."""
    failure = failure_of({"error": {"message": message, "code": status}}, status=status)

    assert (failure.kind, failure.message) == (Kind.NOT_FOUND, f"model: {message}")


@given(st.dictionaries(st.sampled_from(["code", "type", "message", "param"]), JSON), st.none() | st.integers(100, 999))
def test_any_error_becomes_a_failure(error: dict[str, Any], status: int | None) -> None:
    """Whatever an upstream sends, it has a kind and a sentence."""
    failure = failure_of(error, status=status, plan=PLAN)

    assert failure.message
    assert isinstance(failure.kind, Kind)
