"""Client body becomes canonical request: what is wrong with it is said in Anthropic's words, location first."""

from __future__ import annotations

import attrs

from stages.canonical.failure import Failure, Kind
from stages.canonical.request import Caller, Request, Text
from stages.decoder import rules, tool_rules
from stages.decoder.compaction_rules import compaction_refusal
from stages.decoder.rules import Rule
from stages.decoder.tool_change_rules import tool_change_refusal
from stages.tables import versions
from stages.wire import json, request_body
from stages.wire.messages_request import Misfit, structure

__all__ = ["BILLING_HEADER", "MAX_COMPLAINT", "RULES", "THREADS_UNSUPPORTED", "decode", "refusal"]

BILLING_HEADER = "x-anthropic-billing-header"
"""How Claude Code's accounting block begins; it differs between conversations, so it would spoil every cache."""

MAX_COMPLAINT = 2_000
"""Characters of a complaint: it may quote names of the client's, which can be of any length."""

THREADS_UNSUPPORTED = "thread_unsupported_request"
"""The `error_code` on which Anthropic's tool runners go on without server-held conversations."""

RULES: tuple[Rule, ...] = (
    rules.model,
    rules.number_rules,
    rules.effort_rules,
    rules.budget_rules,
    rules.message_rules,
    rules.text_rules,
    tool_rules.declaration_rules,
    tool_rules.server_rules,
    tool_rules.choice_rules,
    rules.mark_rules,
    rules.stop_rules,
    rules.warming_rules,
    rules.fallback_rules,
)
"""What a request must satisfy beyond its shape, in the order in which complaints are made."""


def decode_request(body: bytes, caller: Caller | None = None, *, counting: bool = False) -> Request | Failure:
    """Read the body of `POST /v1/messages`, or of `.../count_tokens` when `counting`.

    What the shape alone cannot say is checked by `REQUEST_RULES`, and by those of the API version that the caller
    asked for; unknown fields are kept in `extra`, whatever the version.
    """
    caller = caller or Caller()
    if (wrong := versions.version_complaint(caller.version)) is not None:
        return refusal(wrong)
    try:
        mended: list[str] = []
        value = request_body.parse_body(body, mended)
    except json.MalformedJson as error:
        return refusal(f"The request body is not valid JSON: {error}")
    if not isinstance(value, dict):
        return refusal("The request body should be a JSON object")
    try:
        request = _without_billing(structure(value))
    except Misfit as misfit:
        return refusal(str(misfit))
    request = attrs.evolve(request, mended=tuple(mended)) if mended else request
    return _checked(request, caller, counting=counting)


def _checked(request: Request, caller: Caller, *, counting: bool) -> Request | Failure:
    if not counting and request.max_tokens is None:
        return refusal("max_tokens: Field required")
    if request.extra.get("thread") is not None:
        message = "thread: this server keeps no conversations; send the whole conversation instead"
        return Failure(Kind.INVALID_REQUEST, message, error_code=THREADS_UNSUPPORTED)
    by_version = (wrong for rule in versions.rules_of(caller.version) for wrong in rule(request))
    wrong = next(by_version, None) or next((wrong for rule in RULES for wrong in rule(request, caller)), None)
    if wrong is not None:
        return refusal(wrong)
    return tool_change_refusal(request) or compaction_refusal(request, counting=counting) or request


def _without_billing(request: Request) -> Request:
    """Empty the billing headers of a system prompt, so that no stage has to look past them; each keeps its place."""
    system, billing = list(request.system), list[int]()
    for index, block in enumerate(request.system):
        if isinstance(block, Text) and block.text.startswith(BILLING_HEADER):
            system[index] = attrs.evolve(block, text="")
            billing.append(index)
    return attrs.evolve(request, system=tuple(system), billing=tuple(billing)) if billing else request


def refusal(message: str) -> Failure:
    """Refuse a request; a sentence that quotes too much is cut."""
    return Failure(
        Kind.INVALID_REQUEST, message if len(message) <= MAX_COMPLAINT else f"{message[: MAX_COMPLAINT - 1]}…"
    )
