"""What this process remembers of turns that were answered, so that a missed cache can be explained.

It is an observation: no request is translated or answered by it, any worker can serve any turn, and where several do,
one may call a turn the first that is not.  It holds fingerprints, never content, and is bounded.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

import attrs

from stages.prompt_fingerprint import PromptChange, PromptFingerprint, changed, common
from stages.tables.identifiers import SHARED_KEY

TURNS = 8
"""Turns remembered of one conversation: clients ask on the side, and go back to where they were."""

MAX_CONVERSATIONS = 4096
"""Conversations that are remembered; the one that was heard of longest ago is forgotten first."""


@attrs.frozen
class AnsweredTurn:
    """One turn that was answered.

    Attributes:
        message_id: the id of the answer.
        prefix: the fingerprints of what was sent upstream.
        tokens: size of the whole prompt, as the upstream counted it.
        at: when the answer ended, in the clock's seconds.
    """

    message_id: str
    prefix: PromptFingerprint
    tokens: int
    at: float


@attrs.frozen
class Comparison:
    """How a turn differs from the one it follows.

    Attributes:
        before: the turn that it is compared with; None when none is known.
        change: what changed first; None when nothing did.
        shortened: whether it takes back the end of that turn.
    """

    before: AnsweredTurn | None = None
    change: PromptChange | None = None
    shortened: bool = False

    def __str__(self) -> str:
        """In one word, or as `changed: input[3] (user message)`."""
        if self.before is None:
            return "first_turn"
        if self.change is not None:
            return f"changed: {self.change}"
        return "shortened" if self.shortened else "extended"


def compare(before: AnsweredTurn, now: PromptFingerprint) -> Comparison:
    """Compare a turn with an earlier one."""
    change = changed(before.prefix, now)
    return Comparison(before, change, change is None and len(now.items) < len(before.prefix.items))


def conversation_key(body: Mapping[str, Any], prefix: PromptFingerprint) -> str:
    """What tells conversations apart: the cache key of the request, or how it begins where there is none."""
    return str(body.get("prompt_cache_key") or prefix.items[:16].hex())


class PromptHistory:
    """The latest turns of the latest conversations."""

    def __init__(self, conversations: int = MAX_CONVERSATIONS, size: int = 32 * 2**20) -> None:
        """Make an empty history.

        Args:
            conversations: how many are remembered at most.
            size: about how many bytes they may take together.
        """
        self._conversations = conversations
        self._free = size
        self._by_key: OrderedDict[str, list[AnsweredTurn]] = OrderedDict()
        self._by_message: dict[str, AnsweredTurn] = {}

    def __len__(self) -> int:
        """How many conversations are remembered."""
        return len(self._by_key)

    def message(self, ident: str) -> AnsweredTurn | None:
        """The turn that was answered by this message."""
        return self._by_message.get(ident)

    def follow(self, key: str, now: PromptFingerprint) -> Comparison:
        """Compare a turn with the one it continues: the longest that it extends, else the one it shares most with.

        One that shares neither a beginning nor model and tools with it belongs to another conversation of the same
        client, such as the search for a title. Where conversations share a key, their first question tells them apart.
        """
        turns = list(self._by_key.get(key, ()))
        if key.startswith(SHARED_KEY):
            turns = [turn for turn in turns if turn.prefix.opening == now.opening]
        continued = [turn for turn in reversed(turns) if _continues(turn.prefix, now)]
        if continued:  # as nearly every turn does; there is nothing more to compare then
            return Comparison(max(continued, key=lambda turn: len(turn.prefix.items)))
        nearest, at = max(((_nearness(turn, now), at) for at, turn in enumerate(turns)), default=((), 0))
        return compare(turns[at], now) if any(nearest) else Comparison()

    def keep(self, key: str, turn: AnsweredTurn) -> None:
        """Remember a turn, and forget what has not been used for longest when there is no room."""
        turns = self._by_key.setdefault(key, [])
        self._by_key.move_to_end(key)
        if len(turns) == TURNS:
            self._forget(turns.pop(0))
        turns.append(turn)
        self._by_message[turn.message_id] = turn
        self._free -= turn.prefix.size
        while self._free < 0 or len(self._by_key) > self._conversations:
            for old in self._by_key.popitem(last=False)[1]:
                self._forget(old)

    def _forget(self, turn: AnsweredTurn) -> None:
        self._by_message.pop(turn.message_id, None)
        self._free += turn.prefix.size


def _continues(before: PromptFingerprint, now: PromptFingerprint) -> bool:
    """Whether a turn says all that an earlier one said, and perhaps more."""
    return now.items.startswith(before.items) and now.settings == before.settings


def _nearness(turn: AnsweredTurn, now: PromptFingerprint) -> tuple[int, bool]:
    """How many items are common, and whether model and tools are: more is nearer."""
    before = turn.prefix
    alike = now.has_tools and all(before.setting(name) == now.setting(name) for name in ("model", "tools"))
    return common(before, now), alike
