"""Client body becomes canonical request: what is wrong with it is said in Anthropic's words, location first."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from stages.canonical.failure import Failure, Kind
from stages.canonical.request import Request, Tool
from stages.wire import json
from stages.wire.messages_request import Misfit, structure

THREADS_UNSUPPORTED = "thread_unsupported_request"
"""The `error_code` on which Anthropic's tool runners go on without server-held conversations."""

LEAST_BUDGET = 1024
"""The least `budget_tokens` that the API takes."""


def decode(body: bytes, *, counting: bool = False) -> Request | Failure:
    """Read the body of `POST /v1/messages`, or of `.../count_tokens` when `counting`.

    What the shape alone cannot say is checked by `RULES`; unknown fields are kept in `Request.extra`.
    """
    try:
        value = json.decode(body)
    except json.MalformedJson as error:
        return Failure(Kind.INVALID_REQUEST, f"The request body is not valid JSON: {error}")
    if not isinstance(value, dict):
        return Failure(Kind.INVALID_REQUEST, "The request body should be a JSON object")
    try:
        request = structure(value)
    except Misfit as misfit:
        return Failure(Kind.INVALID_REQUEST, str(misfit))
    if not counting and request.max_tokens is None:
        return Failure(Kind.INVALID_REQUEST, "max_tokens: Field required")
    return next((failure for rule in RULES for failure in rule(request)), request)


def _thread(request: Request) -> Iterator[Failure]:
    if request.extra.get("thread") is not None:
        message = "thread: this server keeps no conversations; send the whole conversation instead"
        yield Failure(Kind.INVALID_REQUEST, message, error_code=THREADS_UNSUPPORTED)


def _numbers(request: Request) -> Iterator[Failure]:
    if request.max_tokens is not None and request.max_tokens < 0:
        yield _wrong("max_tokens: Input should be greater than or equal to 0")
    thinking = request.thinking
    if thinking is not None and thinking.budget_tokens is not None and thinking.budget_tokens < LEAST_BUDGET:
        yield _wrong(f"thinking.enabled.budget_tokens: Input should be greater than or equal to {LEAST_BUDGET}")


def _messages(request: Request) -> Iterator[Failure]:
    if not request.messages:
        yield _wrong("messages: at least one message is required")
    elif request.messages[0].role == "assistant":
        yield _wrong('messages: first message must use the "user" role')
    last = len(request.messages) - 1
    for index, message in enumerate(request.messages):
        if not message.content and message.role != "system" and not (index == last and message.role == "assistant"):
            complaint = "all messages must have non-empty content except for the optional final assistant message"
            yield _wrong(f"messages.{index}: {complaint}")


def _tools(request: Request) -> Iterator[Failure]:
    names = [tool.name for tool in request.tools if isinstance(tool, Tool)]
    if len(names) != len(set(names)):
        yield _wrong("tools: Tool names must be unique.")
    choice = request.tool_choice
    if choice is None:
        return
    if choice.type == "tool" and choice.name is None:
        yield _wrong("tool_choice.tool.name: Field required")
    elif choice.type != "none" and not request.tools:
        yield _wrong("tool_choice: tool_choice may only be specified while providing tools.")
    elif choice.type == "tool" and choice.name not in {tool.name for tool in request.tools}:
        yield _wrong(f"Tool '{choice.name}' not found in provided tools")


def _wrong(message: str) -> Failure:
    return Failure(Kind.INVALID_REQUEST, message)


def _warming(request: Request) -> Iterator[Failure]:
    """`max_tokens: 0` asks for nothing but a warm cache, which contradicts all that asks for an answer."""
    if request.max_tokens != 0:
        return
    choice, config = request.tool_choice, request.output_config
    conflicts = {
        "stream": request.stream,
        "thinking.type": request.thinking is not None and request.thinking.type == "enabled",
        "output_config.format": config is not None and config.format is not None,
        "tool_choice": choice is not None and choice.type in ("any", "tool"),
    }
    for name, present in conflicts.items():
        if present:
            yield _wrong(f"max_tokens: 0 is not supported together with {name}")


def _stops(request: Request) -> Iterator[Failure]:
    if any(not sequence.strip() for sequence in request.stop_sequences):
        yield _wrong("stop_sequences: each stop sequence must contain non-whitespace")


RULES: tuple[Callable[[Request], Iterator[Failure]], ...] = (
    _thread,
    _numbers,
    _messages,
    _tools,
    _stops,
    _warming,
)
"""What a request must satisfy beyond its shape, in the order in which complaints are made."""
