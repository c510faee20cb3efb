"""One request of a batch: what must be right before anything is kept, and the line that it becomes upstream."""

from __future__ import annotations

import re
from typing import Any

import attrs

from pipeline.endpoints.translation import Question, Translated, translate
from stages.canonical.failure import Failure, Kind
from stages.wire import json

NEVER = ("speed", "fallbacks")
"""Fields that a request of a batch may not have."""

_ID = re.compile(r"[a-zA-Z0-9_-]{1,64}\Z")
_UNSENT = frozenset({"stream", "stream_options"})
_ANYTHING = [{"role": "user", "content": "."}]


@attrs.frozen
class Line:
    """A request that can be sent.

    Attributes:
        model: the upstream's model; empty where a batch may have several.
        data: the line of the input file.
        prefix: tells by which lines the upstream's cache would serve it.
        skeleton: what is needed of the request to read its answer: all but the conversation.
    """

    model: str
    data: bytes = attrs.field(repr=False)
    prefix: bytes = attrs.field(repr=False)
    skeleton: bytes = attrs.field(repr=False)


def read_request(raw: bytes, index: int) -> tuple[str, dict[str, Any]] | Failure:
    """Read `custom_id` and `params` of an element of `requests`; what is wrong with these is wrong with the batch."""
    where = f"requests.{index}"
    try:
        value = json.decode(raw)
    except json.MalformedJson as error:
        return _wrong(f"The request body is not valid JSON: {where}: {error}")
    if not isinstance(value, dict):
        return _wrong(f"{where}: Input should be an object")
    custom_id, params = value.get("custom_id"), value.get("params")
    if not isinstance(custom_id, str):
        return _wrong(f"{where}.custom_id: Field required")
    if not _ID.match(custom_id):
        return _wrong(f"{where}.custom_id: String should match pattern '^[a-zA-Z0-9_-]{{1,64}}$'")
    if not isinstance(params, dict):
        return _wrong(f"{where}.params: Field required")
    return custom_id, params


def complaint(params: dict[str, Any]) -> Failure | None:
    """Say what a request has that none of a batch may have."""
    if (name := next((name for name in NEVER if params.get(name) is not None), None)) is not None:
        return _wrong(f"{name}: not supported in batches")
    if params.get("stream"):
        return _wrong("stream: not supported in batches")
    if params.get("max_tokens") == 0:
        return _wrong("max_tokens: Input should be greater than or equal to 1 in batches")
    return None


def line_of(question: Question, custom_id: str, params: dict[str, Any]) -> Line | Failure:
    """Translate one request, or say what its `errored` result is to say."""
    if (failure := complaint(params)) is not None:
        return failure
    told = translate(question, json.encode(params))
    if isinstance(told, Failure):
        return told
    body = {name: value for name, value in json.decode(told.body).items() if name not in _UNSENT}
    model = question.target.models.batch_model(told.plan.upstream_model)
    line = {"custom_id": custom_id, "method": "POST", "url": "/v1/responses", "body": {**body, "model": model}}
    return Line(model, json.encode(line) + b"\n", _prefix(told), skeleton_of(params))


def message_line(question: Question, custom_id: str, params: dict[str, Any]) -> Line | Failure:
    """Keep a request as it is, for a store that runs messages: it is translated when its turn has come."""
    if (failure := complaint(params)) is not None:
        return failure
    caller = question.caller
    head = {"version": caller.version, "betas": caller.betas, "strict": question.strict}
    line = {"custom_id": custom_id, "url": "/v1/messages", "head": head, "body": params}
    prefix = json.canonical({name: params.get(name) for name in ("model", "tools", "system")})
    return Line("", json.encode(line) + b"\n", prefix, b"{}")


def skeleton_of(params: dict[str, Any]) -> bytes:
    """What says how an answer is to be read; equal for requests that differ in their conversation alone."""
    kept = {name: value for name, value in params.items() if name not in ("messages", "system", "metadata")}
    return json.canonical({**kept, "messages": _ANYTHING})


def _prefix(told: Translated) -> bytes:
    """The settings and the first item: what requests of the same kind have in common."""
    return told.prefix.settings + told.prefix.items[:8]


def _wrong(message: str) -> Failure:
    return Failure(Kind.INVALID_REQUEST, message)
