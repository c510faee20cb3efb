"""`clear_tool_uses_20250919`: old results of tools make room once a conversation has grown.

How to think about it.  The conversation is replayed, request by request, as the client has sent it: at each, the size
is what was left then, and where that is over the trigger, old results are cleared.  What was cleared stays cleared.  So
the cut is a function of the request alone, it only grows, and a turn that clears nothing repeats the one before it to
the byte, which is what the upstream's cache wants.

Measured on Anthropic's API: results of 46 bytes or less are neither cleared nor counted; clearing goes oldest first, in
batches of at least `clear_at_least` tokens, and an incomplete last batch stays.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import attrs

from stages.canonical.place import Position
from stages.canonical.request import ContentBlock, JsonObject, Request, Text, ToolReference, ToolResult, ToolUse
from stages.counter import Tokens, prompt_tokens
from stages.counter.blocks import count_block
from stages.history.removal import with_applied, with_blocks
from stages.wire.lenient import texts

CLEARED_RESULT = "[The result of this call was cleared, to make room.]"
"""What a model reads in the place of a result."""

TRIGGER = 100_000
"""Input tokens over which results are cleared, where the edit does not say it."""

KEPT_USES = 3
"""Calls whose results stay, where the edit does not say how many."""

SMALL = 46
"""Bytes of a result that is left alone."""

REASON = "an old result was cleared, as context_management asks; what stands behind it is read without the cache once"
"""Why a result, or what a call asked for, is no more what it was."""


@attrs.frozen
class Clearing:
    """The settings of an edit.

    Attributes:
        limit: the size above which results are cleared.
        by_uses: whether that is a number of calls; else of tokens.
        keep: how many of the latest calls keep their results.
        at_least: tokens that a batch must free.
        excluded: names of tools whose results stay.
        inputs: names of tools whose calls are cleared as well; None for all of them.
    """

    limit: int
    by_uses: bool
    keep: int
    at_least: int
    excluded: frozenset[str]
    inputs: frozenset[str] | None

    @classmethod
    def of(cls, edit: JsonObject) -> Clearing:
        """Read an edit as the client wrote it; what is no number counts as not said."""
        trigger, inputs = edit.get("trigger"), edit.get("clear_tool_inputs")
        by_uses = isinstance(trigger, dict) and trigger.get("type") == "tool_uses"
        return cls(
            limit=_amount(trigger, TRIGGER),
            by_uses=by_uses,
            keep=_amount(edit.get("keep"), KEPT_USES),
            at_least=_amount(edit.get("clear_at_least"), 0),
            excluded=frozenset(texts(edit.get("exclude_tools"))),
            inputs=None if inputs is True else frozenset(texts(inputs)),
        )


def _amount(setting: Any, default: int) -> int:
    value = setting.get("value") if isinstance(setting, dict) else None
    return value if isinstance(value, int) and not isinstance(value, bool) else default


@attrs.frozen
class Use:
    """A call and its result, the place of each (`called_at`, `answered_at`), and the tokens `freed` by clearing."""

    call: ToolUse
    called_at: Position
    result: ToolResult
    answered_at: Position
    freed: int


def clear_tool_uses(request: Request, edit: JsonObject, tokens: Tokens) -> Request:
    """Clear old results of tools, and what their calls asked for where the edit says so.

    Args:
        request: what the client sent.
        edit: the edit's settings.
        tokens: the number of tokens of one text.
    """
    clearing = Clearing.of(edit)
    cleared = _Replay(request, clearing, tokens).run()
    if not cleared:
        return request
    blocks: dict[Position, ContentBlock] = {}
    for use in cleared:
        loaded = (block for block in use.result.content if isinstance(block, ToolReference))  # they stay loaded
        blocks[use.answered_at] = attrs.evolve(use.result, content=(Text(CLEARED_RESULT), *loaded))
        if _clears_input(clearing, use.call.name):
            blocks[use.called_at] = attrs.evolve(use.call, input={})
    request = with_blocks(request, blocks, REASON)
    freed = sum(use.freed for use in cleared)
    return with_applied(request, {"type": edit["type"], "cleared_tool_uses": len(cleared)}, freed)


class _Replay:
    """Goes through a conversation as it grew; linear, since no call is looked at again once its batch is complete."""

    def __init__(self, request: Request, clearing: Clearing, tokens: Tokens) -> None:
        self._request = request
        self._clearing = clearing
        self._tokens = tokens
        self._calls: dict[str, tuple[Position, ToolUse]] = {}
        self._uses: list[Use] = []
        self._looked_at = 0
        self._batch: list[Use] = []
        self._batched = 0
        self._cleared: list[Use] = []

    def run(self) -> list[Use]:
        """Find what is cleared, in the order of the conversation."""
        size = prompt_tokens(attrs.evolve(self._request, messages=()), self._tokens)
        for index, message in enumerate(self._request.messages):
            for at, block in enumerate(message.content):
                size += count_block(block, self._tokens)
                self._take(block, (index, at))
            if message.role != "assistant":  # behind each of these there was a request, or may have been
                size -= self._clear(size)
        return self._cleared

    def _take(self, block: ContentBlock, position: Position) -> None:
        if isinstance(block, ToolUse):
            self._calls[block.id] = position, block
        elif isinstance(block, ToolResult) and block.tool_use_id in self._calls and not _is_small(block):
            called_at, call = self._calls.pop(block.tool_use_id)  # of two results of a call, the first counts
            cleared = (inner for inner in block.content if not isinstance(inner, ToolReference))
            freed = sum(count_block(inner, self._tokens) for inner in cleared)
            if _clears_input(self._clearing, call.name):
                freed += count_block(call, self._tokens) - count_block(attrs.evolve(call, input={}), self._tokens)
            freed = max(0, freed - self._tokens(CLEARED_RESULT))
            self._uses.append(Use(call, called_at, block, position, freed))

    def _clear(self, size: int) -> int:
        """Clear what may be, as the request of this moment asked; return the tokens that it freed."""
        clearing = self._clearing
        if (len(self._uses) - len(self._cleared) if clearing.by_uses else size) <= clearing.limit:
            return 0
        freed = 0
        for use in self._old():
            # A batch that is not full waits for the next request, which adds to it: the cut moves seldom, and the cache
            # of the upstream is lost only where it pays.
            self._batch.append(use)
            self._batched += use.freed
            if self._batched >= clearing.at_least:
                self._cleared += self._batch
                freed += self._batched
                self._batch, self._batched = [], 0
        return freed

    def _old(self) -> Iterator[Use]:
        """The calls that nobody has looked at, up to those that are kept."""
        end = len(self._uses) - self._clearing.keep
        while self._looked_at < end:
            use = self._uses[self._looked_at]
            self._looked_at += 1
            if use.call.name not in self._clearing.excluded:
                yield use


def _clears_input(clearing: Clearing, name: str) -> bool:
    return clearing.inputs is None or name in clearing.inputs


def _is_small(result: ToolResult) -> bool:
    """Whether a result is left alone, whatever is asked."""
    said = [block.text for block in result.content if isinstance(block, Text)]
    return len(said) == len(result.content) and sum(len(text.encode("utf-8", "replace")) for text in said) <= SMALL
