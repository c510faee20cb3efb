"""How a response ended: the truth is in its `status`, not in the name of the event that brought it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import attrs

from stages.canonical.events import MessageEnd, Usage
from stages.canonical.failure import Failure
from stages.canonical.plan import AnswerPlan
from stages.correlator.summary import Summary
from stages.tables import stops
from stages.tables.error_shapes import is_error_event, tells_anything, without_echo
from stages.tables.errors import failure_of
from stages.tools.server.code_execution import CONTAINER_LIFETIME
from stages.wire import json, responses_stream
from stages.wire.lenient import mapping
from stages.wire.responses_stream import Final, StreamEvent

_FAILED = {"failed", "cancelled"}
_STATUSES = {"completed", "incomplete", *_FAILED}
# Those of a response that has ended; others are the echo of an earlier one, and then the event's name tells.
_MAY_RUN = {None, "model_context_window_exceeded"}


@attrs.frozen
class Ending:
    """A response that ended without failing.

    Attributes:
        reason: the `stop_reason` that its status asks for; None when the content decides.
        usage: its tokens.
        complete: False when the answer was cut, so that its last item may be unfinished.
        dropped_reasoning: reasoning of the request that the model did not get to see, counted by reason.
        transformations: Anthropic's list of thinking blocks that the model did not get to see; None where nobody asked.
        at: when it ended, or began, in seconds of the upstream's clock; None when it does not say.
    """

    reason: str | None
    usage: Usage
    complete: bool
    at: float | None = None
    dropped_reasoning: tuple[tuple[str, int], ...] = ()
    transformations: tuple[dict[str, Any], ...] | None = None

    def message_end(self, said: Summary) -> MessageEnd:
        """Decide the stop reason, now that it is known what was said."""
        reason, calls = self.reason, said.calls
        details = stops.FILTERED if reason == "refusal" else None
        if said.refusal:
            reason, details = "refusal", stops.refusal_details(said.refusal)
        if reason in _MAY_RUN and calls and not self.complete:
            reason = "max_tokens"  # on any other reason a client may run a call that could be unfinished
        if reason in (None, "pause_turn") or (reason == "max_tokens" and calls and self.complete):
            paused = said.paused and self.complete
            reason = "tool_use" if calls else reason or ("pause_turn" if paused else "end_turn")
        return MessageEnd(
            stop_reason=reason,
            usage=self.usage,
            stop_details=details,
            server_tools=said.server_tools,
            container=self._container(said.container),
            left_out=said.left_out,
            dropped_reasoning=self.dropped_reasoning,
            transformations=self.transformations,
        )

    def _container(self, ident: str | None) -> dict[str, Any] | None:
        """Say until when a container lives, which the upstream does not tell, but documents."""
        if ident is None or self.at is None:
            return None
        try:
            end = datetime.fromtimestamp(self.at + CONTAINER_LIFETIME, UTC)
        except (OverflowError, OSError, ValueError):
            return None
        return {"id": ident, "expires_at": end.strftime("%Y-%m-%dT%H:%M:%SZ")}


def end_of(name: str, final: Final, plan: AnswerPlan, *, event: StreamEvent | None = None) -> Ending | Failure:
    """Read the ending from the event's name and the response it carries.

    A server that hits the limit without saying so (llama.cpp answers `completed`) is found out by its usage; one that
    fails and calls it `completed`, by an error and no output.

    Args:
        name: the event's.
        final: the response object.
        plan: how the request wants its answer read.
        event: the event itself: the error may stand beside the response, or deeper in it.
    """
    status = final.status if final.status in _STATUSES else name.removeprefix("response.")
    silent = not final.output
    beside = _fields(event) if event is not None and (silent or status in _FAILED or final.error) else {}
    errors = [final.error, final.last_error, mapping(final.status_details).get("error"), beside.get("error")]
    if status in _FAILED or ((status != "completed" or silent) and any(map(tells_anything, errors))):
        return failure_of([beside, *({"error": error} for error in errors[:-1])], plan=plan)
    usage = stops.usage(final.usage)
    reason, complete = _reason(final, status, usage, plan)
    at = final.completed_at or final.created_at
    dropped, bound = stops.dropped_reasoning(final.input_transformations), plan.reasoning
    told = None if bound is None else stops.input_transformations(bound.mismatched, bound.returned, dropped)
    return Ending(reason, usage, complete, at, dropped, told)


def _reason(final: Final, status: str, usage: Usage, plan: AnswerPlan) -> tuple[str | None, bool]:
    """The stop reason that a status asks for, and whether the answer is complete."""
    reason = stops.reason_in(final.incomplete_details)
    if reason:
        return stops.stop_reason(reason), False
    told = filter(None, map(stops.reason_in, (final.finish_reason, final.stop_reason, final.status_details)))
    if meant := next(filter(None, map(stops.stop_reason, told)), None):
        return meant, False
    if status == "incomplete":
        return "max_tokens", False
    limit = plan.max_output_tokens
    reached = limit is not None and usage.output_tokens >= limit
    return "max_tokens" if reached else None, True


def failure_of_event(event: StreamEvent, plan: AnswerPlan) -> Failure:
    """Read an event that tells an error, wherever in it that stands."""
    return failure_of({"type": event.type, **_fields(event)}, plan=plan)


def tells_failure(event: StreamEvent) -> bool:
    """Whether an event that no Responses stream has is an error: servers send the body of one as it stands."""
    return is_error_event({"type": event.type or "untyped event", **_fields(event)})


_MEMBERS = ("code", "message", "msg", "status", "detail", "errors", "error", "base_resp")


def _fields(event: StreamEvent) -> dict[str, Any]:
    """The members of an event in which an error may stand, decoded."""
    raws = {name: bytes(getattr(event, name)) for name in _MEMBERS}
    fields = {name: json.decode(raw) for name, raw in raws.items() if raw}
    response = responses_stream.told_in(event.response)
    return {**fields, "response": without_echo(response) if isinstance(response, dict) else response}


@attrs.frozen
class Unpaid:
    """The end of an answer that has not told its tokens: its event, the response in it, and what the message said."""

    event: StreamEvent
    final: Final
    said: Summary
