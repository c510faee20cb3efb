"""The other requests that one answer takes: the next round of a tool that is run here, advice, verdicts."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any, Protocol

import attrs

from pipeline.endpoints.context import Context
from pipeline.endpoints.healing import HealingAttempts
from pipeline.endpoints.mapping import Answering
from pipeline.endpoints.translation import Question, Translated, translate
from pipeline.request.upstream_call import Again, RequestJob, Told
from pipeline.telemetry.request_log import RequestLog
from stages.canonical.failure import Failure
from stages.canonical.request import Caller
from stages.wire import json


class Answered(Answering, Protocol):
    """Whoever is answered."""

    @property
    def request_id(self) -> str:
        """What it may quote."""

    @property
    def log(self) -> RequestLog:
        """Hears what happens."""


class Unhealed:
    """Leaves a refusal as it is: a request beside the answer may fail, and its client hears what became of it."""

    careful = False

    async def again(self, failure: Failure) -> Again:  # noqa: ARG002 - nothing is read in it
        """Make nothing; never waits."""
        return None

    def worked(self) -> None:
        """Learn nothing."""


@attrs.define(slots=False)
class SideRequests:
    """Makes the requests beside one client's request.

    Attributes:
        context: runs translations.
        exchange: the client's; its log counts the attempts.
        question: how its request was translated.
        raw: the request, as the client sent it.
    """

    context: Context
    exchange: Answered
    question: Question
    raw: bytes = attrs.field(repr=False)

    @cached_property
    def body(self) -> Mapping[str, Any]:
        """The client's request."""
        body: Mapping[str, Any] = json.decode(self.raw)
        return body

    @property
    def judge(self) -> str:
        """The model that judges calls; empty where nobody does."""
        return self.context.settings.safeguards.model

    @property
    def patience(self) -> float:
        """Seconds that a judge has."""
        return self.context.settings.safeguards.timeout

    async def continued(self, told: Told) -> RequestJob | Failure:
        """Make the request that goes on behind these blocks: the turn of a client that sends them back."""
        messages = [*self.body["messages"], {"role": "assistant", "content": told}]
        raw = json.encode({**self.body, "messages": messages, **_no_longer_forced(self.body.get("tool_choice"))})
        made = await self._translated(self.question, raw)
        if isinstance(made, Failure):
            return made
        log = self.exchange.log
        healing = HealingAttempts(self.context, self.exchange, self.question, raw, log, made)
        turns = self.context.turns
        return RequestJob(made.plan, made.body, healing, made.stream, self.exchange.request_id, log, turns=turns)

    async def apart(self, body: Mapping[str, Any]) -> RequestJob | Failure:
        """Make a request of our own, with the client's key and account, and none of its wishes."""
        caller = Caller(session=self.question.caller.session, agent=f"{self.question.caller.agent}/aside")
        question = attrs.evolve(self.question, caller=caller, strict=False, stream=False, limit=None, changes={})
        made = await self._translated(question, json.encode(body))
        if isinstance(made, Failure):
            return made
        ident, log = self.exchange.request_id, self.exchange.log
        return RequestJob(made.plan, made.body, Unhealed(), stream=made.stream, request_id=ident, log=log)

    async def _translated(self, question: Question, raw: bytes) -> Translated | Failure:
        return await self.context.aside.run(len(raw), translate, question, raw)


def _no_longer_forced(choice: Any) -> dict[str, Any]:
    """Let the model choose: a call that had to be made was made, and would else have to be made again for ever."""
    if not isinstance(choice, dict) or choice.get("type") not in ("any", "tool"):
        return {}
    rest = {name: value for name, value in choice.items() if name not in ("type", "name")}
    return {"tool_choice": {"type": "auto", **rest}}


def side_requests(
    context: Context, exchange: Answered, question: Question, raw: bytes, made: Translated
) -> SideRequests | None:
    """What makes the other requests of an answer; None where it takes none, as most do."""
    judged = made.safeguarded and context.settings.safeguards.model
    return SideRequests(context, exchange, question, raw) if made.plan.hosted or judged else None
