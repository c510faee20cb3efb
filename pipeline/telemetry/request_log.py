"""The redacting logger: an actor beside each request that hears facts over a tee and writes one line at the end."""

from __future__ import annotations

from collections import Counter
from typing import Any

import attrs
import trio
from structlog.typing import FilteringBoundLogger

from pipeline.telemetry import names
from pipeline.telemetry.request_cost import RequestCost
from stages.redactor import Fact


@attrs.define
class RequestLog:
    """What is known about one request, without a word of what it says.

    Attributes:
        logger: where the line goes.
        fields: facts that are known from the start, such as ids and models.
        outcome: how it ended: `ok`, a failure's kind, or `client_left`.
        request_cost: works out what an answer cost, and how the cache served it; None leaves that out.
    """

    logger: FilteringBoundLogger
    fields: dict[str, Any] = attrs.field(factory=dict)
    outcome: str = names.CLIENT_LEFT
    request_cost: RequestCost | None = None
    _blocks: Counter[str] = attrs.field(factory=Counter, init=False)

    def hear(self, fact: Fact) -> None:
        """Add one fact to the line, and write it by itself at level `debug`."""
        values = dict(fact.values)
        if fact.name == "block_start":
            self._blocks[str(values["type"])] += 1
        elif fact.name == "message_end":
            self.outcome = "ok"
            self.fields.update(values)
            if self.request_cost is not None:
                self.fields.update(self.request_cost.close(values, healed="healed" in self.fields))
        elif fact.name == "failure":
            self.outcome = str(values["kind"])
            self.fields.update(values)
        self.logger.debug(fact.name, request_id=self.fields.get("request_id"), **values)

    def write(self, seconds: float) -> None:
        """Write the request's line; `seconds` is how long it took."""
        blocks = ",".join(f"{kind}:{count}" for kind, count in sorted(self._blocks.items()))
        write = self.logger.info if self.outcome in ("ok", names.CLIENT_LEFT) else self.logger.warning
        write(names.REQUEST, outcome=self.outcome, seconds=round(seconds, 3), blocks=blocks, **self.fields)


async def keep_log(log: RequestLog, inbox: trio.MemoryReceiveChannel[Fact]) -> None:
    """Hear facts until the tee closes, then write the line.

    Waits shielded, so that a cancelled request is logged all the same: the tee is closed whatever happens, and nobody
    waits for room in it, so this ends as soon as the request does.
    """
    began = trio.current_time()
    with trio.CancelScope(shield=True):
        async for fact in inbox:
            log.hear(fact)
    log.write(trio.current_time() - began)
