"""Rules about summaries: those that a request asks for, and those that a conversation brings back.

Each refusal has the `error_code` that Anthropic's SDKs branch on.
"""

from __future__ import annotations

from collections.abc import Iterator

from stages.canonical.failure import Failure, Kind
from stages.canonical.place import Place, content_of_message
from stages.canonical.request import Compaction, Request, ToolUse
from stages.wire import summary_seal

MISPLACED = "compaction_block_misplaced"
"""The `error_code` of a summary in a system message."""
SIGNATURE_INVALID = "compaction_signature_invalid"
"""The `error_code` of a signature of ours that was damaged."""
CONTENT_MISMATCH = "compaction_content_mismatch"
"""The `error_code` of a summary that is not the one that was told."""
NOTHING_TO_SUMMARIZE = "compaction_nothing_to_summarize"
"""The `error_code` of a conversation that says nothing."""
INCOMPLETE_TURN = "compaction_incomplete_turn"
"""The `error_code` of a conversation whose last call has no result."""


def compaction_refusal(request: Request, *, counting: bool = False) -> Failure | None:
    """Say what is wrong with the summaries of a request; None if nothing is.  A count asks for none."""
    return next(_blocks(request), None) or (None if counting else next(_asked(request), None))


def _refused(message: str, error_code: str | None = None) -> Failure:
    return Failure(Kind.INVALID_REQUEST, message, error_code=error_code)


def _blocks(request: Request) -> Iterator[Failure]:
    for index, message in enumerate(request.messages):
        for at, block in enumerate(message.content):
            if type(block) is Compaction:
                if message.role == "system":
                    place = content_of_message(index).at(at)
                    yield _refused(f"{place}: a `compaction` block cannot stand in a system message", MISPLACED)
                yield from _block(block, content_of_message(index).at(at))


def _block(block: Compaction, place: Place) -> Iterator[Failure]:
    if block.content == "":
        yield _refused(f"{place}.content: String should have at least 1 character")
    signature = block.signature or ""
    if not signature.startswith(summary_seal.SEAL_PREFIX):
        return
    if not summary_seal.is_seal(signature):
        yield _refused(f"{place}.signature: the signature does not verify", SIGNATURE_INVALID)
    elif summary_seal.seal(block.content or "") != signature:
        yield _refused(f"{place}.content: this is not the summary that the signature was made for", CONTENT_MISMATCH)


def _asked(request: Request) -> Iterator[Failure]:
    compaction = request.extra.get("compaction")
    if compaction is None:
        return
    if not isinstance(compaction, dict) or compaction.get("type") != "summarize":
        yield _refused("compaction.type: Input should be 'summarize'")
        return
    choice, config = request.tool_choice, request.output_config
    others = {
        "context_management": request.extra.get("context_management") is not None,
        "stop_sequences": bool(request.stop_sequences),
        "output_config.format": config is not None and config.format is not None,
        "output_format": request.extra.get("output_format") is not None,
        "tool_choice": choice is not None and choice.type in ("any", "tool"),
        "max_tokens: 0": request.max_tokens == 0,
    }
    yield from (_refused(f"compaction: cannot be combined with {name}") for name, met in others.items() if met)
    said = [message for message in request.messages if message.role != "system" and message.content]
    if not said:
        yield _refused("messages: there is nothing to summarize", NOTHING_TO_SUMMARIZE)
    elif said[-1].role == "assistant" and any(isinstance(block, ToolUse) for block in said[-1].content):
        yield _refused("messages: the last turn has a call without a result, so it is not finished", INCOMPLETE_TURN)
