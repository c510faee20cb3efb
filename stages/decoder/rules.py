"""Rules about numbers, words and messages: what a request must satisfy beyond its shape.

The sentences are Anthropic's own (`docs/facts/request-rules.md`).  Not everything that the API refuses
is refused here.  What the upstream takes goes on, such as a forced call with thinking; so does what the mapper mends,
such as a call without a result: the report says it, and strict mode refuses by the report.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from stages import fallbacks
from stages.canonical.place import MESSAGES, ROOT
from stages.canonical.request import Caller, Compaction, ContentBlock, Message, Request, Text, ToolResult, mark_of
from stages.tools.changes import marked_tools
from stages.wire.cache import by_identity

Rule = Callable[[Request, Caller], Iterator[str]]
"""Complains about a request, in Anthropic's words, the place first."""

MIN_BUDGET = 1024
"""The least `budget_tokens` that the API takes."""

REQUEST_EFFORTS = ("low", "medium", "high", "xhigh", "max")
"""The words that `output_config.effort` may be."""

INTERLEAVED = "interleaved-thinking-2025-05-14"
"""The beta under which a budget is for all of a turn's thinking, and so may be more than one answer's tokens."""

LONGEST_MODEL = 256
"""Characters of a model's name, as the API limits it."""

MOST_STOPS = 8191
"""Stop sequences of a request: the limit of Amazon Bedrock for the same API; Anthropic's own is not told."""

LONGEST_STOPS = 16_384
"""Characters of all of them: what is looked for in an answer is kept in memory, some 200 bytes for each of them."""

MAX_MARKS = 4
"""How many parts of a request may be marked for the cache."""

_NON_EMPTY = "all messages must have non-empty content except for the optional final assistant message"
_NOTHING, _SPACES = "be non-empty", "contain non-whitespace text"
_TOO_MUCH_THINKING = (
    "`max_tokens` must be greater than `thinking.budget_tokens`. Please consult our documentation at "
    "https://docs.claude.com/en/docs/build-with-claude/extended-thinking#max-tokens-and-context-window-size"
)


def model(request: Request, _: Caller) -> Iterator[str]:
    """Check that a model is named, by what can be a name: it stands in logs."""
    if not request.model:
        yield "model: String should have at least 1 character"
    elif len(request.model) > LONGEST_MODEL:
        yield f"model: String should have at most {LONGEST_MODEL} characters"


def number_rules(request: Request, caller: Caller) -> Iterator[str]:
    """Check the limits of the answer and of the thinking in it."""
    most = request.max_tokens
    if most is not None and most < 0:
        yield "max_tokens: Input should be greater than or equal to 0"
    budget = request.thinking.budget_tokens if request.thinking else None
    if budget is None:
        return
    if budget < MIN_BUDGET:
        yield f"thinking.enabled.budget_tokens: Input should be greater than or equal to {MIN_BUDGET}"
    elif most and budget >= most and INTERLEAVED not in caller.betas:
        yield _TOO_MUCH_THINKING


def effort_rules(request: Request, _: Caller) -> Iterator[str]:
    """Check the words for effort, of the request and of the messages that change it."""
    said = [(MESSAGES.at(at), each.output_config) for at, each in enumerate(request.messages) if each.output_config]
    for place, config in ((ROOT, request.output_config), *said):
        if config is not None and config.effort is not None and config.effort not in REQUEST_EFFORTS:
            *others, last = (f"'{effort}'" for effort in REQUEST_EFFORTS)
            yield f"{place.field('output_config').field('effort')}: Input should be {', '.join(others)} or {last}"


def budget_rules(request: Request, _: Caller) -> Iterator[str]:
    """Check the budget of a task: whole numbers of tokens."""
    budget = request.output_config.extra.get("task_budget") if request.output_config else None
    if not isinstance(budget, dict):
        return
    place = ROOT.field("output_config").field("task_budget")
    if budget.get("total") is None:
        yield f"{place.field('total')}: Field required"
    for name in ("total", "remaining"):
        value = budget.get(name)
        if value is not None and type(value) is not int:
            yield f"{place.field(name)}: Input should be a valid integer"
        elif value is not None and value < 0:
            yield f"{place.field(name)}: Input should be greater than or equal to 0"


def message_rules(request: Request, _: Caller) -> Iterator[str]:
    """Check that there is a conversation, that the user begins it, and that it says something."""
    if not request.messages:
        yield "messages: at least one message is required"
    elif request.messages[0].role == "assistant" and not _begins_with_a_summary(request.messages[0]):
        yield 'messages: first message must use the "user" role'
    last = len(request.messages) - 1
    for index, message in enumerate(request.messages):
        if not message.content and message.role != "system" and not (index == last and message.role == "assistant"):
            yield f"{MESSAGES.at(index)}: {_NON_EMPTY}"


def _begins_with_a_summary(message: Message) -> bool:
    """Whether a message stands for what the user had said before."""
    return bool(message.content) and isinstance(message.content[0], Compaction)


def text_rules(request: Request, _: Caller) -> Iterator[str]:
    """Check that the user's texts say something.

    An assistant's empty text passes: an upstream may have begun a text and then said nothing, and the client only
    repeats what it was sent. Claude itself was recorded to write a blank one, and to be sent it back.
    """
    for message in request.messages:
        if message.role == "user" and (wrong := _looked_at(message)[1]):
            yield f"messages: text content blocks must {wrong}"


def mark_rules(request: Request, _: Caller) -> Iterator[str]:
    """Count the parts that are marked for the cache, in tools, system prompt, messages and the results in them.

    The mark at the top of a request counts as none: it moves to a part that may have one already.
    """
    marked = len(marked_tools(request.tools)) + _marks(request.system)
    marked += sum([_looked_at(message)[0] for message in request.messages])
    if marked > MAX_MARKS:
        yield f"A maximum of {MAX_MARKS} blocks with cache_control may be provided. Found {marked}."


@by_identity
def _looked_at(message: Message) -> tuple[int, str]:
    """The marks in a message, and what its texts must do that they do not; the same messages come every turn."""
    blank = [block.text for block in message.content if isinstance(block, Text) and not block.text.strip()]
    return _marks(message.content), (_SPACES if blank[0] else _NOTHING) if blank else ""


def _marks(blocks: Sequence[ContentBlock]) -> int:
    """Count the marked ones among blocks and the blocks in results."""
    inner = [each for block in blocks if isinstance(block, ToolResult) for each in block.content]
    return sum(mark_of(block) is not None for block in (*blocks, *inner))


def stop_rules(request: Request, _: Caller) -> Iterator[str]:
    """Check that each stop sequence is something to look for."""
    if len(request.stop_sequences) > MOST_STOPS:
        yield f"stop_sequences: List should have at most {MOST_STOPS} items after validation"
    if sum(map(len, request.stop_sequences)) > LONGEST_STOPS:
        yield f"stop_sequences: the sequences should have at most {LONGEST_STOPS} characters together"
    if any(not sequence.strip() for sequence in request.stop_sequences):
        yield "stop_sequences: each stop sequence must contain non-whitespace"


def warming_rules(request: Request, _: Caller) -> Iterator[str]:
    """Check that `max_tokens: 0`, which asks for a warm cache and nothing else, asks for nothing else."""
    if request.max_tokens != 0:
        return
    choice, config = request.tool_choice, request.output_config
    conflicts = {
        "stream": request.stream,
        "thinking.type": request.thinking is not None and request.thinking.type == "enabled",
        "output_config.format": config is not None and config.format is not None,
        "tool_choice": choice is not None and choice.type in ("any", "tool"),
    }
    yield from (f"max_tokens: 0 is not supported together with {name}" for name, met in conflicts.items() if met)


def fallback_rules(request: Request, _: Caller) -> Iterator[str]:
    """Check the models that are to be asked after a refusal."""
    asked = request.extra.get("fallbacks")
    yield from fallbacks.complaints(asked)
    if asked is not None and request.extra.get("fallback_credit_token") is not None:
        yield "fallbacks: cannot be combined with fallback_credit_token"
