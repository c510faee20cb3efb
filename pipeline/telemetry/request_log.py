"""What is known of one request, for the one line that each of them leaves when it is over.

The edge begins it and writes it; the endpoints add what they know; and whoever tells a client something of its answer
lets it hear the facts first, never the content.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import attrs
import trio
from structlog.typing import FilteringBoundLogger

from pipeline.telemetry import names, semantics
from pipeline.telemetry.request_cost import RequestCost
from pipeline.telemetry.spending import SHARES, Billing, Spending
from stages.canonical.events import Usage
from stages.redactor import Fact
from stages.tables.model_registry import ModelRegistry

if TYPE_CHECKING:
    from pipeline.telemetry.otlp.spans import RequestTrace


@attrs.define
class RequestLog:
    """What is known about one request, without a word of what it says.

    Attributes:
        logger: where the line goes.
        fields: facts that are known from the start, such as ids and models.
        outcome: how it ended: `ok`, a failure's kind, or why it was cut; empty as long as nobody has said it.
        clock: tells the time in seconds.
        began: when the request came, by that clock.
        trace: its spans, which hear all of this as well; None where none are exported.
        spending: what the requests behind its answer have used; None where it took one.
        request_cost: works out what an answer cost, and how the cache served it; None leaves that out.
    """

    logger: FilteringBoundLogger
    fields: dict[str, Any] = attrs.field(factory=dict)
    outcome: str = ""
    request_cost: RequestCost | None = None
    clock: Callable[[], float] = trio.current_time
    began: float = attrs.field(default=attrs.Factory(lambda own: own.clock(), takes_self=True))
    trace: RequestTrace | None = None
    spending: Spending | None = None
    _blocks: dict[str, int] = attrs.field(factory=dict, init=False)

    def hear(self, fact: Fact) -> None:
        """Add one fact to the line, and write it by itself at level `debug`."""
        values = dict(fact.values)
        if fact.name == "block_start":
            if not self._blocks:
                self.fields["first_content_seconds"] = self._seconds()
            kind = str(values["type"])
            self._blocks[kind] = self._blocks.get(kind, 0) + 1
        elif fact.name == "message_end":
            self.outcome = names.OK
            self.fields.update(values)
            if self.request_cost is not None:
                another = not self.fields.keys().isdisjoint(_ANOTHER_PROMPT)
                self.fields.update(self.request_cost.close(values, healed=another))
            self._sum_up()
        elif fact.name == "failure":
            self.outcome = str(values["kind"])
            self.fields.update(values)
        if self.trace is not None:
            self.trace.hear(fact, self.fields)
        self.logger.debug(fact.name, request_id=self.fields.get("request_id"), **values)

    def spend(self, billing: Billing, usage: Usage) -> None:
        """Note what one of several requests behind the answer has used; what all have is said whatever follows."""
        self.spending = self.spending or Spending()
        self.spending.add(billing, usage)
        self._sum_up()

    def _sum_up(self) -> None:
        """Let the line tell of all requests behind the answer, where there are several."""
        if self.spending is not None:
            self.fields.pop("cost_usd", None)
            self.fields.update(self.spending.totals())

    def ask(self) -> list[tuple[bytes, bytes]]:
        """Note that the upstream is asked; return the headers that carry the request's trace there."""
        self.fields["attempts"] = self.fields.get("attempts", 0) + 1
        return [] if self.trace is None else self.trace.ask(self.fields)

    def answered(self, status: int | None, cause: str = "") -> None:
        """Note what the upstream answered with, or in a word of ours why no answer came."""
        self.fields["upstream_status"] = status
        if self.trace is not None:
            self.trace.answered(status, cause)

    def speak(self, status: int) -> None:
        """Note that the head of an answer leaves."""
        self.fields.update(status=status, first_byte_seconds=self._seconds())

    def _seconds(self) -> float:
        return round(self.clock() - self.began, 3)

    def write(self) -> dict[str, Any]:
        """Write the request's line, for it is over, and end its spans; return what the line says."""
        blocks = ",".join(f"{kind}:{count}" for kind, count in sorted(self._blocks.items()))
        outcome = _ENDED_BY.get(str(self.fields.get("cause")), self.outcome) or names.CLIENT_LEFT
        write = self.logger.info if outcome in _NO_FAULT else self.logger.warning
        route = self.fields.get("route")
        if route == semantics.BATCHED or (outcome == names.OK and route in semantics.WATCHING):
            write = self.logger.debug
        fields = {"outcome": outcome, "seconds": self._seconds(), **self.fields}
        if blocks:
            fields["blocks"] = blocks
        write(names.REQUEST, **fields)
        if self.trace is not None:
            self.trace.end(fields)
        return fields if self.spending is None else {**fields, SHARES: self.spending.shares()}


_ANOTHER_PROMPT = ("healed", "fallbacks", "compactions")
# What says that the answer is not one to the prompt whose fingerprint was taken.

_ENDED_BY = {"shutdown": names.SERVER_STOPPED, "total": names.OVERDUE, "write": names.CLIENT_STALLED}
# What we caused ourselves, by the cause of the failure that the client was told, or would have been.

_NO_FAULT = (names.OK, names.CLIENT_LEFT, names.CLIENT_STALLED, names.SERVER_STOPPED)


def loggable(model: str, models: ModelRegistry) -> str:
    """A model's name as a log may have it: `other` where it is whatever a client has said."""
    return model if models.has(model) else names.OTHER
