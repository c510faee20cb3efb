"""How a refused request is made once more: without what the upstream does not take, which the client never asked for.

The rows of `tables.refusals` say what may be left out.  The request is mapped again for a profile that lacks it, so the
report says what the client loses by that, if anything; in strict mode nothing is left out that it would lose.
"""

from __future__ import annotations

from typing import Any

import attrs

from pipeline.endpoints.context import Context
from pipeline.endpoints.exchange import Exchange
from pipeline.endpoints.mapping import mapped_for, say_mapping
from pipeline.lessons import with_changes
from pipeline.telemetry import names
from pipeline.telemetry.request_log import RequestLog
from stages.canonical.failure import Failure
from stages.canonical.plan import AnswerPlan
from stages.canonical.request import Request
from stages.mapper import Mapped, Target
from stages.tables.refusals import Remedy, remedies
from stages.wire import json

MOST = 6
"""Remedies for one request; more is wrong with it than can be healed."""


@attrs.define
class Healing:
    """The attempts at one request.

    Attributes:
        context: has the upstream's profile, and what was learnt about it.
        exchange: gets the mapping header.
        request: what the client asked.
        log: hears what was healed.
        target: what the latest attempt was made for.
        mapped: the latest attempt.
    """

    context: Context
    exchange: Exchange
    request: Request
    log: RequestLog
    target: Target
    mapped: Mapped
    _taken: list[Remedy] = attrs.field(factory=list, init=False)
    _sent: list[dict[str, Any]] = attrs.field(factory=list, init=False, repr=False)

    @property
    def careful(self) -> bool:
        """Whether the answer must be read ahead: what it refuses may come in its first event, behind a good status."""
        model = self.mapped.plan.upstream_model
        thinks = any(item["type"] == "reasoning" for item in self.mapped.body["input"])
        return thinks or not self.context.lessons.is_proven(model)

    def again(self, failure: Failure) -> tuple[bytes, AnswerPlan] | None:
        """Make the request once more in a way that the upstream may take; None where there is no such way.

        Making it says so in the mapping header, if the head is not out yet.
        """
        if len(self._taken) >= MOST:
            return None
        first = self.mapped.plan
        self._sent.append(self.mapped.body)
        for remedy in remedies(failure, self.mapped.body, self.target.profile):
            target = with_changes(self.target, remedy.changes)
            mapped = mapped_for(target, self.context, self.exchange, self.request, first.message_id)
            if isinstance(mapped, Failure) or mapped.body in self._sent:
                continue
            plan = attrs.evolve(mapped.plan, input_tokens=first.input_tokens, extras=first.extras)
            self._take(remedy, target, attrs.evolve(mapped, plan=plan))
            return json.encode(mapped.body), plan
        return None

    def worked(self) -> None:
        """Remember what the upstream turned out to take, and say once what it does not."""
        model, lessons = self.mapped.plan.upstream_model, self.context.lessons
        lessons.prove(model)
        for remedy in {taken.name: taken for taken in self._taken}.values():
            if remedy.lasting:
                lessons.learn(model, remedy.changes)
                self.context.log.warning(names.LEARNT, model=model, refused=remedy.name, setting=_setting(remedy))

    def _take(self, remedy: Remedy, target: Target, mapped: Mapped) -> None:
        self._taken.append(remedy)
        self.target, self.mapped = target, mapped
        healed = ",".join(dict.fromkeys(taken.name for taken in self._taken))
        self.log.fields["healed"] = healed
        say_mapping(self.exchange, f"{mapped.report.summary()};healed={healed}")


def _setting(remedy: Remedy) -> str:
    """The settings that say the same for good."""
    shown = {
        name: str(value).lower() if isinstance(value, bool) else f'"{value}"' for name, value in remedy.changes.items()
    }
    return ", ".join(f"upstream.profile_overrides.{name} = {value}" for name, value in shown.items())
