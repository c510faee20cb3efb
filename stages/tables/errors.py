"""What an upstream's error means in Anthropic's terms: one table by code, one by status, and the cures.

The error is found by `error_shapes`, whatever its shape and place, and this is the one way from there to a `Failure`.
A code counts first, then a sentence that a row of `cures` is certain of, then the number in the body, then the status.

Source: the error pages and recordings of OpenAI, the codes of the services and engines that speak its API, and Claude
Code's reactions to Anthropic's own sentences.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from itertools import product
from typing import Any

import attrs

from stages.canonical.failure import Failure, Kind
from stages.canonical.plan import AnswerPlan
from stages.tables.cures import CURES, PICTURE_CODES, Cure
from stages.tables.error_shapes import ErrorContent, read_error
from stages.tables.overflows import OVERFLOW
from stages.tables.refusals import is_about_reasoning
from stages.tables.waits import wait_in

BY_CODE = {
    "invalid_api_key": Kind.AUTHENTICATION,
    "account_deactivated": Kind.AUTHENTICATION,
    "incorrect_api_key": Kind.AUTHENTICATION,
    "invalid_authentication": Kind.AUTHENTICATION,
    "authentication_error": Kind.AUTHENTICATION,
    "unauthenticated": Kind.AUTHENTICATION,
    "api_key_invalid": Kind.AUTHENTICATION,
    "unauthorized": Kind.AUTHENTICATION,
    "insufficient_quota": Kind.QUOTA,
    "credit_balance_exhausted": Kind.QUOTA,
    "billing_hard_limit_reached": Kind.QUOTA,
    "exceeded_current_quota": Kind.QUOTA,
    "budget_exceeded": Kind.QUOTA,
    "billing_not_active": Kind.BILLING,
    "insufficient_balance": Kind.BILLING,
    "arrearage": Kind.BILLING,
    "rate_limit_exceeded": Kind.RATE_LIMIT,
    "rate_limit_error": Kind.RATE_LIMIT,
    "rate_limit_reached": Kind.RATE_LIMIT,
    "rate_limited": Kind.RATE_LIMIT,
    "slow_down": Kind.RATE_LIMIT,
    "too_many_requests": Kind.RATE_LIMIT,
    "throttling": Kind.RATE_LIMIT,
    "resource_exhausted": Kind.RATE_LIMIT,
    "server_is_overloaded": Kind.OVERLOADED,
    "overloaded_error": Kind.OVERLOADED,
    "engine_overloaded": Kind.OVERLOADED,
    "service_unavailable_error": Kind.OVERLOADED,
    "unavailable": Kind.OVERLOADED,
    "model_not_found": Kind.NOT_FOUND,
    "unsupported_country_region_territory": Kind.PERMISSION,
    "data_residency_mismatch": Kind.PERMISSION,
    "permission_denied": Kind.PERMISSION,
    "access_denied": Kind.PERMISSION,
    "invalid_prompt": Kind.POLICY,
    "bio_policy": Kind.POLICY,
    "cyber_policy": Kind.POLICY,
    "content_policy_violation": Kind.POLICY,
    "image_content_policy_violation": Kind.POLICY,
    "content_filter": Kind.POLICY,
    "misalignment_policy_violation": Kind.POLICY,
    "responsible_ai_policy_violation": Kind.POLICY,
    "data_inspection_failed": Kind.POLICY,
    "server_error": Kind.UPSTREAM,
    "internal_server_error": Kind.UPSTREAM,
    "internal_error": Kind.UPSTREAM,
    "internal": Kind.UPSTREAM,
    "api_error": Kind.UPSTREAM,
    "vector_store_timeout": Kind.TIMEOUT,
    "deadline_exceeded": Kind.TIMEOUT,
    "timeout": Kind.TIMEOUT,
    "invalid_request_error": Kind.INVALID_REQUEST,
    "bad_request": Kind.INVALID_REQUEST,
    "invalid_argument": Kind.INVALID_REQUEST,
    "invalid_parameter": Kind.INVALID_REQUEST,
    "unprocessable_entity": Kind.INVALID_REQUEST,
    "validation_error": Kind.INVALID_REQUEST,
    "invalid_value": Kind.INVALID_REQUEST,
    "invalid_type": Kind.INVALID_REQUEST,
    "unknown_parameter": Kind.INVALID_REQUEST,
    "unsupported_parameter": Kind.INVALID_REQUEST,
    "unsupported_value": Kind.INVALID_REQUEST,
    "unrecognized_request_argument": Kind.INVALID_REQUEST,
    "missing_required_parameter": Kind.INVALID_REQUEST,
    "extra_forbidden": Kind.INVALID_REQUEST,
    "not_found": Kind.NOT_FOUND,
    "invalid_encrypted_content": Kind.INVALID_REQUEST,
} | dict.fromkeys(sorted(PICTURE_CODES), Kind.INVALID_REQUEST)
"""`error.code`, or `error.type` where the code says nothing, to a kind; in any writing, with `_error` or without."""

BY_NUMBER = {
    1001: Kind.TIMEOUT,
    1002: Kind.RATE_LIMIT,
    1004: Kind.AUTHENTICATION,
    1008: Kind.BILLING,
    1026: Kind.POLICY,
    1027: Kind.POLICY,
    1039: Kind.RATE_LIMIT,
    1041: Kind.RATE_LIMIT,
    1113: Kind.BILLING,
    1211: Kind.NOT_FOUND,
    1301: Kind.POLICY,
    1302: Kind.RATE_LIMIT,
    1303: Kind.RATE_LIMIT,
    1305: Kind.OVERLOADED,
    1308: Kind.QUOTA,
    2013: Kind.INVALID_REQUEST,
    2049: Kind.AUTHENTICATION,
}
"""Numbers of services that have their own: MiniMax (`base_resp.status_code`) and Zhipu (`error.code`)."""

BY_STATUS = {
    400: Kind.INVALID_REQUEST,
    401: Kind.AUTHENTICATION,
    402: Kind.BILLING,
    403: Kind.PERMISSION,
    404: Kind.NOT_FOUND,
    405: Kind.MISCONFIGURED,
    408: Kind.TIMEOUT,
    409: Kind.CONFLICT,
    413: Kind.TOO_LARGE,
    422: Kind.INVALID_REQUEST,
    429: Kind.RATE_LIMIT,
    500: Kind.UPSTREAM,
    503: Kind.OVERLOADED,
    504: Kind.TIMEOUT,
    522: Kind.TIMEOUT,
    524: Kind.TIMEOUT,
    529: Kind.OVERLOADED,
}
"""HTTP status to a kind, for errors without a code that says more."""

NO_SENTENCE = "The upstream reported an error without a message."
"""What a person reads where the upstream said nothing."""

SOON = 5
"""Seconds to wait after a rate limit that does not say how long."""

_SERVERS_FAULT = 500
_GOOD = range(200, 300)
_ELSEWHERE = range(300, 400)
_UNCERTAIN = frozenset({Kind.INVALID_REQUEST, Kind.UPSTREAM})
_MISLEADING = frozenset({Kind.NOT_FOUND, Kind.UPSTREAM})
# A missing item is a 404 like a missing model, and what fails inside a stream without a code looks like their fault.
_SEARCHED = 4_000
# Characters of a sentence in which a row's words are looked for: those behind are mostly quotations of the request.
_NEVER_FITS = re.compile(r"^Request too large for ")
# A single request above the limit of a whole minute: it would be refused for ever.
_KEY = re.compile(r"\b(?:sk|gsk|xai|key|pk|ak|AIza|Bearer)[-_ ]?[\w*.-]{8,200}")


def _plain(code: str) -> str:
    """A code without what differs between servers: case, separators, and the word `error`."""
    plain = re.sub(r"[^a-z0-9]", "", code.lower())
    return re.sub(r"(error|exception)$", "", plain) or plain


_CODES = {_plain(code): kind for code, kind in BY_CODE.items()}
_GENERIC = frozenset(
    map(
        _plain,
        [
            "invalid_request_error",
            "server_error",
            "internal_server_error",
            "internal_error",
            "internal",
            "api_error",
            "bad_request",
            "invalid_argument",
            "invalid_parameter",
            "unprocessable_entity",
            "validation_error",
            "invalid_value",
            "invalid_type",
            "unknown_parameter",
            "unsupported_parameter",
            "unsupported_value",
            "unrecognized_request_argument",
            "missing_required_parameter",
            "extra_forbidden",
            "not_found",
        ],
    )
)
# They only say whose fault it was, so where there is a status or a sentence, that says more.
_CURES = {_plain(code): cure for cure in CURES for code in cure.codes}


STRICT = "strict"
"""`Failure.cause` of a request that is refused because its client, or a setting, insists on faithfulness."""

OWN_CAUSES = frozenset(
    {
        *("admission", "draining", "shutdown", "total", STRICT),
        *("bad_body", "bad_event", "nameless_call", "no_ending", "package", "silence", "stream_cut", "unfinished"),
        *("descriptors", "dns", "refused", "reset", "timeout", "tls", "unreachable"),
        *("tls certificate", "tls expired", "tls issuer", "tls name", "tls not yet valid"),
        *("ConnectError", "ReadError", "WriteError", "RemoteProtocolError", "LocalProtocolError", "KeyCommand"),
        *("ReadTimeout", "WriteTimeout", "ConnectTimeout", "PoolTimeout", "DecodingError", "ProxyError"),
        *(cure.cause for cure in CURES if cure.cause),
        *(code for cure in CURES for code in cure.codes),
        *BY_CODE,
    }
)
"""What a log may repeat of `Failure.cause`: words of ours, and codes that a table knows; others are the upstream's."""


def failure_of(
    error: Any,
    *,
    status: int | None = None,
    retry_after: int | None = None,
    plan: AnswerPlan | None = None,
) -> Failure:
    """Translate an upstream's error.

    Args:
        error: the error, or the body or event that it stands in, of any shape; text if it is no JSON.
        status: the HTTP status it came with; None inside a stream.
        retry_after: seconds the upstream asks to wait; a rate limit without it says what its sentence says, else 5.
        plan: the request's plan, for what its own numbers and keys mean in the upstream's sentence.
    """
    told = read_error(error)
    failure = _whose_fault(_judge(told, status, plan), told, status, plan)
    if failure.kind is Kind.RATE_LIMIT and _NEVER_FITS.search(failure.message):
        failure = attrs.evolve(failure, kind=Kind.QUOTA)
    return attrs.evolve(failure, retry_after=_wait(failure, told, retry_after), places=told.places)


def _judge(told: ErrorContent, status: int | None, plan: AnswerPlan | None) -> Failure:
    """Decide what an error is: by a code, by words that are certain, by a number, by the status."""
    sentence = told.sentences[0] if told.sentences else ""
    for code in told.codes:
        if cure := _CURES.get(_plain(code)) or _like(code):
            spoken = next((text for text in told.sentences if cure.words(text[:_SEARCHED])), sentence)
            return _cured(cure, code, spoken, plan, told) or Failure(cure.kind, spoken, cause=code)
    code, kind = next(_known(told), ("", None))
    cause = code or next(iter(told.codes), None)
    guess = kind or _by_number(told, status)
    if (kind is None or kind in _MISLEADING) and is_about_reasoning(sentence):
        return Failure(Kind.INVALID_REQUEST if guess in _MISLEADING else guess, sentence, cause=cause)
    if kind is None:
        for cure, text in product(CURES, told.sentences):
            fits = guess in cure.instead and cure.words(text[:_SEARCHED])
            if fits and (found := _cured(cure, cause, text, plan, told)):
                return found
    return Failure(guess, sentence, cause=cause)


def _like(code: str) -> Cure | None:
    """The row of a code that no table knows, by what stands in it."""
    return None if _plain(code) in _CODES else next((cure for cure in CURES if cure.like(code)), None)


def _cured(cure: Cure, code: str | None, sentence: str, plan: AnswerPlan | None, told: ErrorContent) -> Failure | None:
    said = cure.say(sentence, plan, told)
    return None if said is None else Failure(cure.kind, said, cause=cure.cause or code, spoken=sentence)


def _known(told: ErrorContent) -> Iterator[tuple[str, Kind]]:
    """The codes that the table knows and that say more than whose fault it was."""
    for code in told.codes:
        for word in (code, *re.split(r"[.#:/]", code)):
            plain = _plain(word)
            if plain in _CODES and plain not in _GENERIC:
                yield code, _CODES[plain]


def _by_number(told: ErrorContent, status: int | None) -> Kind:
    """The kind by the number in the body, which is nearer to the cause than the status that it came with."""
    kind = _by_status(told.status or status) or next(
        (_CODES[plain] for code in told.codes if (plain := _plain(code)) in _CODES),
        Kind.INVALID_REQUEST if told.places else Kind.UPSTREAM,
    )
    vendors = next((BY_NUMBER[number] for number in told.numbers if number in BY_NUMBER), None)
    return vendors if vendors is not None and kind in _UNCERTAIN else kind


def _by_status(status: int | None) -> Kind | None:
    if status is None or status in _GOOD:
        return None
    fault = Kind.UPSTREAM if status >= _SERVERS_FAULT else Kind.INVALID_REQUEST
    return BY_STATUS.get(status, Kind.MISCONFIGURED if status in _ELSEWHERE else fault)


def _whose_fault(failure: Failure, told: ErrorContent, status: int | None, plan: AnswerPlan | None) -> Failure:
    """Say it as the gateway's fault where it is: its address, or the key that it uses for all its clients."""
    sentence = failure.message
    if failure.kind is Kind.NOT_FOUND and not sentence.startswith("model:") and not _OF_THE_CLIENT(sentence):
        said = "" if told.page or not sentence else f": {sentence}"
        return attrs.evolve(failure, kind=Kind.MISCONFIGURED, message=_NO_SUCH_PATH + said)
    if plan is not None and plan.keyed:
        if failure.kind is Kind.AUTHENTICATION:
            return attrs.evolve(failure, kind=Kind.MISCONFIGURED, message=_NO_ENTRY)
        sentence = _KEY.sub("…", sentence)
    if not sentence or (told.page and len(told.sentences) == 0):
        sentence = NO_SENTENCE if status is None else f"The upstream answered with status {status}."
    return attrs.evolve(failure, message=sentence)


_OF_THE_CLIENT = re.compile(
    r"\b(files?|batch(?:es)?|containers?|items?|images?|documents?|vector stores?)\b", re.IGNORECASE
).search
# Things that a request refers to, and that may be missing like a model.
_NO_SUCH_PATH = "The upstream answered 404, and not about a model; upstream.url may name the wrong path"
_NO_ENTRY = (
    "The upstream does not let this gateway in; that is for the gateway's operator to mend, and no client's fault."
)


def _wait(failure: Failure, told: ErrorContent, retry_after: int | None) -> int | None:
    """The seconds to wait: by the header, by a field of the body, in words; of a rate limit some are always told."""
    if retry_after is not None or failure.kind not in (Kind.RATE_LIMIT, Kind.OVERLOADED):
        return retry_after if failure.cause != OVERFLOW else None
    if told.wait is not None:
        return math.ceil(told.wait)
    spoken = next((wait for text in told.sentences if (wait := wait_in(text[:_SEARCHED])) is not None), None)
    return SOON if spoken is None and failure.kind is Kind.RATE_LIMIT else spoken
