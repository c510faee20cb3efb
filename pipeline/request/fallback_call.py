"""An upstream call whose model may decline: the models that the request names for that are asked then.

    upstream call ──▶ events
          └ refusal, nothing shown ──▶ upstream call of the next model ──▶ `fallback` block, events …

It stands in the place of the upstream call, in the same task, where other requests can be made for the answer.  What is
no refusal is the client's to retry, as on Anthropic's servers; what was shown cannot be taken back, so a refusal behind
a text or a call stands.  Thoughts may be shown: the block says that they were another's.
"""

from __future__ import annotations

from typing import Any, TypeGuard

import attrs

from pipeline.request.timers import nobody_heard
from pipeline.request.upstream_call import AnswerCall, RequestJob, Told, UpstreamCall
from stages.block import AnswerEvent
from stages.canonical.events import (
    BLOCK_STOP,
    FallbackStart,
    MessageEnd,
    ResultStart,
    ServerToolUseStart,
    TextStart,
    ToolUseStart,
)
from stages.canonical.failure import Failure, Kind
from stages.wire.messages_stream import iteration

_SHOWN = (TextStart, ToolUseStart, ServerToolUseStart, ResultStart)
_NEVER_ASKED = Failure(Kind.INTERNAL, "Internal server error", cause="no_ending")
_FULL = frozenset({Kind.RATE_LIMIT, Kind.QUOTA, Kind.OVERLOADED})
# What is worth another attempt of the client's own, so that it is told with which model.


@attrs.define(eq=False)
class FallbackCall(AnswerCall):
    """Reads one round of an answer, of the first model that does not decline.

    Of the model that is asked now, `_begun` says whether it has said anything, and `_shown` whether that was more than
    thoughts; `_next` is the block that is due before its first words.  `_refusal` is how those before it have ended,
    and `_spent` what they cost.

    Attributes:
        job: what is asked now; the rest is an `UpstreamCall`'s.
        told: what the answer has told before this round.
    """

    told: Told = attrs.field(factory=list)
    _call: UpstreamCall = attrs.field(init=False)
    _begun: bool = attrs.field(default=False, init=False)
    _shown: bool = attrs.field(default=False, init=False)
    _next: FallbackStart | None = attrs.field(default=None, init=False)
    _refusal: MessageEnd | Failure | None = attrs.field(default=None, init=False)
    _spent: list[dict[str, Any]] = attrs.field(factory=list, init=False)

    def __attrs_post_init__(self) -> None:
        """Prepare the first attempt."""
        self._prepare(self.job)

    def _prepare(self, job: RequestJob) -> None:
        self.job, self._begun, self._shown = job, False, False
        self._call = UpstreamCall(job, self.upstream, self.inform, self.limits, self.timers)

    async def __aexit__(self, *reason: object) -> None:
        """Close what is open; never cancelled half-way."""
        await self._call.__aexit__(*reason)

    async def receive(self) -> list[AnswerEvent | Failure]:
        """Return the next events of the round, at least one; an empty list means that it has ended.

        Waits for the upstream, for one model behind the other where they decline.  Cancelled, there is no going on.
        """
        while True:
            self._call.blocks = self.blocks
            events = await self._call.receive()
            told = await self._read(events) if events else []
            if told or not events:
                return told

    async def drain(self) -> None:
        """Read to its end what the upstream says after its answer; waits as `UpstreamCall.drain` does."""
        await self._call.drain()

    def close(self) -> None:
        """Tell those who still write blocks that nobody reads any more."""
        self._call.close()

    async def _read(self, events: list[AnswerEvent | Failure]) -> list[AnswerEvent | Failure]:
        """Make of a model's events what is told of them; nothing where they say no more than that another is asked."""
        *before, last = events
        if isinstance(last, Failure) and last.kind is not Kind.POLICY and self._next is not None and not before:
            # Nothing was heard of this model: the refusal before it stands, which a client understands better.
            return [self._standing(last)]
        told = [*self._boundary(), *before]
        self._begun = self._begun or bool(before)
        self._shown = self._shown or any(isinstance(event, _SHOWN) for event in events)
        if self._declines(last):
            return [*told, *await self._decline(last)]
        self._begun = True
        return [*told, self._final(last)]

    def _declines(self, event: AnswerEvent | Failure) -> TypeGuard[MessageEnd | Failure]:
        """Whether a model declines, and may still be followed by another: a failure could leave a block open."""
        if isinstance(event, Failure):
            return event.kind is Kind.POLICY and not self._begun
        return isinstance(event, MessageEnd) and event.stop_reason == "refusal" and not self._shown

    async def _decline(self, refusal: MessageEnd | Failure) -> list[AnswerEvent | Failure]:
        """Have the next model asked; return the end of the round where there is none, or none can be asked."""
        if isinstance(refusal, MessageEnd):
            self._pay(refusal)
            self._spent.append(iteration(refusal.usage, "message", self.job.plan.model))
        if isinstance(refusal, MessageEnd) or self._refusal is None:  # a failure never replaces an answer
            self._refusal = refusal
        following = await self._sideline.fallen_back(self.told)
        if following is None or isinstance(following, Failure):
            return [self._standing(following)]
        category = (refusal.stop_details or {}).get("category") if isinstance(refusal, MessageEnd) else None
        block = FallbackStart(self.job.plan.model, following.plan.model, category)
        # The next request is there by now: where there is none, this call stays open for its owner to close.
        await self._call.drain()
        await self._call.__aexit__()
        self.timers.last_read = nobody_heard
        self._prepare(following)
        self._next = block
        return []

    def _boundary(self) -> list[AnswerEvent | Failure]:
        """The block before the first words of a model that was not the first to be asked."""
        block, self._next = self._next, None
        if block is None:
            return []
        fields, billing = self.job.log.fields, self.job.billing
        fields["fallbacks"] = fields.get("fallbacks", 0) + 1
        if billing is not None:
            fields["upstream_model"] = billing.used
        return [block, BLOCK_STOP]

    def _standing(self, failure: Failure | None) -> MessageEnd | Failure:
        """The refusal that stands, since nobody else can be asked; it names the model that is worth another attempt."""
        refusal = self._refusal
        if not isinstance(refusal, MessageEnd):
            return refusal or _NEVER_ASKED
        if len(self._spent) > 1:
            refusal = attrs.evolve(refusal, iterations=tuple(self._spent))
        if failure is None or failure.kind not in _FULL:
            return refusal
        details = {**(refusal.stop_details or {}), "recommended_model": self.job.plan.model}
        return attrs.evolve(refusal, stop_details=details)

    def _final(self, event: AnswerEvent | Failure) -> AnswerEvent | Failure:
        """The last event of some; the end of a round tells what all of its requests cost."""
        if not isinstance(event, MessageEnd):
            return event
        self._pay(event)
        if not self._spent:
            return event
        last = iteration(event.usage, "message", self.job.plan.model)
        return attrs.evolve(event, iterations=(*self._spent, last))

    def _pay(self, end: MessageEnd) -> None:
        if self.job.billing is not None:
            self.job.log.spend(self.job.billing, end.usage)
