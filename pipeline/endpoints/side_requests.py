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
from pipeline.telemetry.request_log import RequestLog, loggable
from pipeline.telemetry.spending import Billing
from stages.canonical.failure import Failure
from stages.canonical.request import Caller, JsonObject
from stages.fallbacks import asked_of
from stages.tools.hosted.pages import FetchError, Page, PageFetch
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
        entries: of the models that may still be asked after a refusal.
    """

    context: Context
    exchange: Answered
    question: Question
    raw: bytes = attrs.field(repr=False)
    entries: tuple[JsonObject, ...] = ()
    _entry: JsonObject = attrs.field(factory=dict, init=False)

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

    async def fallen_back(self, told: Told) -> RequestJob | Failure | None:
        """Make the same of the next model that may be asked, which answers from then on; None where there is none."""
        if not self.entries:
            return None
        self._entry, *rest = self.entries
        self.entries = tuple(rest)
        return await self._asked(told)

    async def continued(self, told: Told) -> RequestJob | Failure:
        """Make the request that goes on behind these blocks: the turn of a client that sends them back."""
        return await self._asked(told)

    async def fetched(self, fetch: PageFetch) -> Page | FetchError:
        """Read a page, or say why there is none; waits for the web, and a while at most."""
        return await self.context.pages.fetch(fetch)

    def _behind(self, told: Told) -> bytes:
        """The request of the model that answers, with these blocks at the end of the conversation."""
        body = asked_of(self.body, self._entry) if self._entry else self.body
        if told:
            messages = [*self.body["messages"], {"role": "assistant", "content": told}]
            called = any(block["type"].endswith("tool_use") for block in told)
            body = {**body, "messages": messages, **(_no_longer_forced(body.get("tool_choice")) if called else {})}
        return json.encode(body)

    async def _asked(self, told: Told) -> RequestJob | Failure:
        raw = self._behind(told)
        made = await self._translated(self.question, raw)
        if isinstance(made, Failure):
            return made
        log = self.exchange.log
        return RequestJob(
            plan=made.plan,
            body=made.body,
            healing=HealingAttempts(self.context, self.exchange, self.question, raw, log, made),
            stream=made.stream,
            request_id=self.exchange.request_id,
            log=log,
            counting=self.context.tokenizer,
            billing=billing_of(self.context, made),
            sideline=self,
            turns=self.context.turns,
        )

    async def summed_up(self, told: Told, instructions: str) -> RequestJob | Failure:
        """Make a request for a summary: of the client's own conversation, so that the cache has it."""
        return await self._beside(attrs.evolve(self.question, summary=instructions), self._behind(told))

    async def apart(self, body: Mapping[str, Any]) -> RequestJob | Failure:
        """Make a request of our own, with the client's key and account, and none of its wishes."""
        caller = Caller(session=self.question.caller.session, agent=f"{self.question.caller.agent}/aside")
        return await self._beside(
            attrs.evolve(self.question, caller=caller, stream=False, changes={}), json.encode(body)
        )

    async def _beside(self, question: Question, raw: bytes) -> RequestJob | Failure:
        made = await self._translated(attrs.evolve(question, strict=False, limit=None), raw)
        if isinstance(made, Failure):
            return made
        return RequestJob(
            plan=made.plan,
            body=made.body,
            healing=Unhealed(),
            stream=made.stream,
            request_id=self.exchange.request_id,
            log=self.exchange.log,
            counting=self.context.tokenizer,
            billing=billing_of(self.context, made),
        )

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
    plan = made.plan
    taken = plan.hosted or judged or plan.fallbacks or plan.compacting
    return SideRequests(context, exchange, question, raw, plan.fallbacks) if taken else None


def billing_of(context: Context, made: Translated) -> Billing:
    """By what the tokens of a request are accounted for."""
    plan, models = made.plan, context.target.models
    asked, used = loggable(plan.model, models), loggable(plan.upstream_model, models)
    return Billing(asked, used, models.price(plan.upstream_model), made.named.get("service_tier"))
