"""How a response ended: the truth is in its `status`, not in the name of the event that brought it."""

from __future__ import annotations

from typing import Any

import attrs

from stages.canonical.events import MessageEnd, Usage
from stages.canonical.failure import Failure
from stages.canonical.plan import AnswerPlan
from stages.tables import stops
from stages.tables.errors import failure_of
from stages.wire import json, responses_stream
from stages.wire.responses_stream import Final, StreamEvent

_FAILED = {"failed", "cancelled"}


@attrs.frozen
class Ending:
    """A response that ended without failing.

    Attributes:
        reason: the `stop_reason` that its status asks for; None when the content decides.
        usage: its tokens.
        complete: False when the answer was cut, so that its last item may be unfinished.
    """

    reason: str | None
    usage: Usage
    complete: bool

    def message_end(
        self, *, calls: bool, refusal: str, left_out: tuple[tuple[str, int], ...], web_searches: int = 0
    ) -> MessageEnd:
        """Decide the stop reason, now that the content is known: whether there were calls, and a refusal's words."""
        reason = self.reason
        details = stops.FILTERED if reason == "refusal" else None
        if refusal:
            reason, details = "refusal", stops.refusal_details(refusal)
        if reason is None and calls and not self.complete:
            reason = "max_tokens"  # cut for a reason without a name: nobody may run a call that could be unfinished
        if reason is None or (reason == "max_tokens" and calls and self.complete):
            reason = "tool_use" if calls else reason or "end_turn"
        return MessageEnd(
            stop_reason=reason,
            usage=self.usage,
            stop_details=details,
            web_searches=web_searches,
            left_out=left_out,
        )


def end_of(name: str, final: Final, plan: AnswerPlan) -> Ending | Failure:
    """Read the ending from the event's name and the response it carries.

    A server that hits the limit without saying so (llama.cpp answers `completed`) is found out by its usage.
    """
    status = final.status or name.removeprefix("response.")
    if status in _FAILED or (final.error and status != "completed"):
        return failure_of(final.error if isinstance(final.error, dict) else {}, plan=plan)
    usage = stops.usage(final.usage)
    reason = (final.incomplete_details or {}).get("reason")
    if isinstance(reason, str):
        return Ending(stops.INCOMPLETE.get(reason), usage, complete=False)
    if status == "incomplete":
        return Ending("max_tokens", usage, complete=False)
    limit = plan.max_output_tokens
    reached = limit is not None and usage.output_tokens >= limit
    return Ending("max_tokens" if reached else None, usage, complete=True)


def failure_of_event(event: StreamEvent, plan: AnswerPlan) -> Failure:
    """Read an `error` event, nested as recorded or flat as documented."""
    error = responses_stream.load(event.error)
    return failure_of(error or {"code": _value(event.code), "message": _value(event.message)}, plan=plan)


def _value(raw: Any) -> Any:
    return json.decode(bytes(raw)) if bytes(raw) else None
