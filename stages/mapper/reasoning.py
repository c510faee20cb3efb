"""Thinking blocks of earlier turns: which of them go back upstream, and in which form."""

from __future__ import annotations

import attrs

from stages.canonical.place import Place
from stages.canonical.report import Report
from stages.canonical.request import RedactedThinking, Thinking
from stages.mapper.phases import PHASES
from stages.tables.stops import ACCOUNT_MISMATCH, MODEL_MISMATCH
from stages.wire import carrier
from stages.wire import responses_request as responses
from stages.wire.cache import by_identity
from stages.wire.carrier import Carrier
from stages.wire.responses_request import Item
from stages.wire.written import WrittenItem

_OTHERS = "reasoning of another model or account"


@attrs.frozen
class ReasoningReplay:
    """Decides about each thinking block by what its carrier says.

    Attributes:
        replay: the form the upstream takes reasoning back in: `encrypted`, `content`, or `none`.
        model: the upstream model that will read it; another one's reasoning means nothing to it.
        account: fingerprint of the upstream account.
        report: gets what was dropped.
        phases: whether the model marks its messages with a phase, and so understands those of any other.
        returned: where the reasoning stands that goes back.
        mismatched: where that stands which was made by somebody else, and Anthropic's word for what does not fit.
    """

    replay: str
    model: str
    account: str
    report: Report
    phases: bool = False
    returned: list[Place] = attrs.field(factory=list)
    mismatched: dict[Place, str] = attrs.field(factory=dict)

    def restore(self, block: Thinking | RedactedThinking, place: Place) -> tuple[Item | None, str]:
        """Return the reasoning item of a block, or None, reported, and the phase that the message after it had.

        The phase does not depend on whether the reasoning itself may go back; empty when it is not known.
        """
        sealed = _sealed(block) if isinstance(block, Thinking) else None
        if sealed is None or not isinstance(block, Thinking):
            self.report.dropped(place, "reasoning of another service")
            self.mismatched[place] = MODEL_MISMATCH
            return None, ""
        item, reason = self._item(sealed, block)
        if item is not None:
            self.returned.append(place)
        else:
            self.report.dropped(place, reason)
            if reason == _OTHERS:
                another = sealed.model != self.model
                self.mismatched[place] = MODEL_MISMATCH if another else ACCOUNT_MISMATCH
        understood = sealed.phase in PHASES and (self.phases or sealed.model == self.model)
        return item, sealed.phase if understood else ""

    def _item(self, sealed: Carrier, block: Thinking) -> tuple[Item | None, str]:
        """Make the item, or give the reason why there is none."""
        if self.replay == "none":
            return None, "the upstream takes no reasoning back"
        if (sealed.model, sealed.account) != (self.model, self.account):
            return None, _OTHERS
        forms = _forms(block)
        if self.replay not in forms:
            item = _form(self.replay, sealed, block.thinking)
            forms[self.replay] = None if item is None else WrittenItem(item)
        return forms[self.replay], "reasoning that the upstream did not seal"


@by_identity
def _sealed(block: Thinking) -> Carrier | None:
    """Read a block's carrier; the same blocks come with every turn."""
    return carrier.decode(block.signature)


@by_identity
def _forms(_: Thinking) -> dict[str, WrittenItem | None]:
    """Hold the items that a block has become so far, by the form in which reasoning is taken back."""
    return {}


def _form(replay: str, sealed: Carrier, thinking: str) -> Item | None:
    texts = sealed.texts or carrier.split_summary(thinking, sealed.summary)
    if replay == "content":
        return responses.open_reasoning(texts) if sealed.raw and texts else None
    if not sealed.encrypted_content:
        return None
    return responses.sealed_reasoning(sealed.encrypted_content, () if sealed.raw else texts)
