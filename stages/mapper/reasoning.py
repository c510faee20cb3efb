"""Thinking blocks of earlier turns: which of them go back upstream, and in which form."""

from __future__ import annotations

import attrs

from stages.canonical.report import Report
from stages.canonical.request import RedactedThinking, Thinking
from stages.wire import carrier
from stages.wire import responses_request as wire
from stages.wire.carrier import Carrier
from stages.wire.responses_request import Item


@attrs.frozen
class Reasoning:
    """Decides about each thinking block by what its carrier says.

    Attributes:
        replay: the form the upstream takes reasoning back in: `encrypted`, `content`, or `none`.
        model: the upstream model that will read it; another one's reasoning means nothing to it.
        account: fingerprint of the upstream account.
        report: gets what was dropped.
    """

    replay: str
    model: str
    account: str
    report: Report

    def restore(self, block: Thinking | RedactedThinking, path: str) -> tuple[Item, str] | None:
        """Return the reasoning item of a block, with the phase of the message after it; None drops it, reported."""
        sealed = carrier.decode(block.signature) if isinstance(block, Thinking) else None
        if sealed is None:
            return self._drop(path, "reasoning of another service")
        if self.replay == "none":
            return self._drop(path, "the upstream takes no reasoning back")
        if (sealed.model, sealed.account) != (self.model, self.account):
            return self._drop(path, "reasoning of another model or account")
        item = self._item(sealed, block.thinking if isinstance(block, Thinking) else "")
        if item is None:
            return self._drop(path, "reasoning that the upstream did not seal")
        return item, sealed.phase

    def _item(self, sealed: Carrier, thinking: str) -> Item | None:
        texts = sealed.texts or carrier.split(thinking, sealed.summary)
        if self.replay == "content":
            return wire.open_reasoning(texts) if sealed.raw and texts else None
        if not sealed.encrypted_content:
            return None
        return wire.sealed_reasoning(sealed.encrypted_content, () if sealed.raw else texts)

    def _drop(self, path: str, reason: str) -> tuple[Item, str] | None:
        self.report.dropped(path, reason)
        return None
