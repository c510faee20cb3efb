"""How a refused request is made once more: without what the upstream does not take, which the client never asked for.

The rows of `tables.refusals` say what may be left out.  The request is mapped again for a profile that lacks it, so the
report says what the client loses by that, if anything; in strict mode nothing is left out that it would lose.
"""

from __future__ import annotations

import attrs

from pipeline.endpoints.context import Context
from pipeline.endpoints.mapping import Answering, say_mapping
from pipeline.endpoints.translation import Question, Translated, translate
from pipeline.telemetry import names
from pipeline.telemetry.request_log import RequestLog, loggable
from stages.canonical.failure import Failure
from stages.canonical.plan import AnswerPlan
from stages.tables.refusals import Remedy, remedies
from stages.wire import json

MAX_REMEDIES = 6
"""Remedies for one request; more is wrong with it than can be healed."""


@attrs.define
class HealingAttempts:
    """The attempts at one request.

    Attributes:
        context: runs translations, and has what was learnt about the upstream.
        exchange: gets the mapping header.
        question: how the latest attempt was translated.
        body: the request, as the client sent it; empty once an attempt was taken, as that of the latest is.
        log: hears what was healed.
        translated: the latest attempt.
    """

    context: Context
    exchange: Answering
    question: Question
    body: bytes = attrs.field(repr=False)
    log: RequestLog
    translated: Translated
    _taken: list[Remedy] = attrs.field(factory=list, init=False)
    _sent: list[bytes] = attrs.field(factory=list, init=False, repr=False)

    async def again(self, failure: Failure) -> tuple[bytes, AnswerPlan] | None:
        """Make the request once more in a way that the upstream may take; None where there is no such way.

        Making it says so in the mapping header, if the head is not out yet.  Waits where the request is large, as
        `Aside.run` says; cancelled, nothing was made.
        """
        if len(self._taken) >= MAX_REMEDIES:
            return None
        first = self.translated
        self._sent.append(first.body)
        for remedy in remedies(failure, json.decode(first.body), first.profile):
            question = attrs.evolve(self.question, changes={**self.question.changes, **remedy.changes})
            made = await self.context.aside.run(len(self.body), translate, question, self.body)
            if isinstance(made, Failure) or made.body in self._sent:
                continue
            plan = attrs.evolve(made.plan, input_tokens=first.plan.input_tokens, extras=first.plan.extras)
            self._take(remedy, question, attrs.evolve(made, plan=plan))
            return made.body, plan
        return None

    def worked(self) -> None:
        """Remember what the upstream turned out to take, and say once what it does not; forget the bodies."""
        model, lessons = self.translated.plan.upstream_model, self.context.lessons
        for remedy in {taken.name: taken for taken in self._taken}.values():
            if remedy.lasting and lessons.learn(model, remedy.changes):
                told = loggable(model, self.context.target.models)
                self.context.log.warning(names.LEARNT, model=told, refused=remedy.name, setting=_setting(remedy))
        self.body, self.translated = b"", attrs.evolve(self.translated, body=b"")
        self._sent.clear()

    def _take(self, remedy: Remedy, question: Question, translated: Translated) -> None:
        self._taken.append(remedy)
        self.question, self.translated = question, translated
        healed = ",".join(dict.fromkeys(taken.name for taken in self._taken))
        self.log.fields["healed"] = healed
        say_mapping(self.exchange, f"{translated.summary};healed={healed}")


def _setting(remedy: Remedy) -> str:
    """The settings that say the same for good."""
    shown = {
        name: str(value).lower() if isinstance(value, bool) else f'"{value}"' for name, value in remedy.changes.items()
    }
    return ", ".join(f"upstream.profile_overrides.{name} = {value}" for name, value in shown.items())
