"""The scenarios: one function for each thing that the emulator can be asked for.

Each sees the request and the step of its directive, and gives back items and an ending, or an HTTP error.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from pipeline.emulator.code import interpreter, ran
from pipeline.emulator.directives import Directive
from pipeline.emulator.example import example
from pipeline.emulator.faults import CONTEXT_OVERFLOW, Fault, fault
from pipeline.emulator.loop import allowed_tools, current_turn, find_tool, offered
from pipeline.emulator.prompt_reading import arguments_from, meant_tool
from pipeline.emulator.scenario import CallItem, MessageItem, ReasoningItem, Scenario, ScenarioEnding, fragments, words
from pipeline.emulator.web_search import hosted_search, looked_up, searches_alone
from stages.wire import json

Builder: TypeAlias = Callable[[dict[str, Any], Directive], Scenario | Fault]
"""From a request and the directive in it to a scenario, or an HTTP error."""

GREETING = (
    "Hello from dragoman's emulator. There is no model behind this answer: it follows a small script, "
    "runs inside your own machine, and sends nothing anywhere. Everything between you and it is the real thing."
)
"""What is said when no directive asks for anything else."""

_UNICODE = (
    "Gr\u00fc\u00dfe, \u4f60\u597d, \u0645\u0631\u062d\u0628\u0627, \u05e9\u05dc\u05d5\u05dd, e\u0301 \u2028 \ufeff "
    "\u202e\u202c \U0001f469\u200d\U0001f469\u200d\U0001f467\u200d\U0001f466 \U0001f1ea\U0001f1fa \U0001d54f "
    '"quoted" back\\slash\ttab\r\nline\x7f'
)
THOUGHTS = (
    "**Reading the request**\n\nThe prompt asks the emulator to think before it speaks. This is the first part.",
    "**Choosing an answer**\n\nThe script has only one answer here. The second part of the summary ends with that.",
)
"""The two parts of a reasoning summary."""

_MAX_DELTAS = 100_000
_MAX_SECONDS = 3600.0


def _speech(request: dict[str, Any], text_scenario: str) -> MessageItem:
    """Say a text, or, where the request wants structured output, a JSON object that fits."""
    wanted = (request.get("text") or {}).get("format") or {}
    if wanted.get("type") == "json_schema":
        return MessageItem(fragments(json.encode(example(wanted.get("schema"))).decode()))
    if wanted.get("type") == "json_object":
        return MessageItem(fragments(json.encode({"answer": text_scenario}).decode()))
    return MessageItem(words(text_scenario))


def unprompted(request: dict[str, Any]) -> Scenario:
    """Answer a prompt without directives: with a text, or with a call or a search where the request is made for one."""
    choice = request.get("tool_choice")
    name = choice.get("name") if isinstance(choice, dict) and choice.get("type") == "function" else None
    mode = choice["mode"] if isinstance(choice, dict) and allowed_tools(request) is not None else choice
    meant = meant_tool(current_turn(request).prompt, offered(request)) if mode != "none" and not name else None
    if meant or mode == "required" or name:
        return call(request, Directive("call", meant["name"] if meant else name))
    if searches_alone(request):
        return search(request, Directive("search"))
    return text_scenario(request, Directive("text"))


def closing(request: dict[str, Any], results: int) -> Scenario:
    """Close a task whose calls are all answered."""
    return Scenario((_speech(request, f"Done. {results} tool {'result' if results == 1 else 'results'} came back."),))


def text_scenario(request: dict[str, Any], _step: Directive) -> Scenario:
    """Say the greeting."""
    return Scenario((_speech(request, GREETING),))


def say_scenario(_request: dict[str, Any], step: Directive) -> Scenario:
    """Say what the directive says, word for word."""
    return Scenario((MessageItem(words(step.text)),))


def think(request: dict[str, Any], _step: Directive) -> Scenario:
    """Think aloud in two summary parts, then say the greeting."""
    return Scenario((ReasoningItem(tuple(map(words, THOUGHTS))), _speech(request, GREETING)))


def call(request: dict[str, Any], step: Directive) -> Scenario:
    """Call one tool: the one named with the arguments given, else a suitable one."""
    tool = _suitable(request, step.tool)
    if tool is None:
        return _no_tool(request)
    arguments = step.arguments if step.arguments is not None else _arguments(request, tool)
    return Scenario((CallItem(tool["name"], fragments(json.encode(arguments).decode())),))


def calls(request: dict[str, Any], step: Directive) -> Scenario:
    """Call the same tool twice, in parallel."""
    one = call(request, step)
    return Scenario(one.items * 2) if isinstance(one.items[0], CallItem) else one


def bad_arguments(request: dict[str, Any], step: Directive) -> Scenario:
    """Call a tool with arguments that are no JSON."""
    tool = _suitable(request, step.tool)
    return Scenario((CallItem(tool["name"], ('{"command": ', '"ls", ')),)) if tool else _no_tool(request)


def search(request: dict[str, Any], step: Directive) -> Scenario:
    """Search the web, for what the directive says, else for the prompt, and answer with citations."""
    tool = hosted_search(request)
    return looked_up(tool, step.text or current_turn(request).prompt.strip()) if tool else _no_tool(request)


def code(request: dict[str, Any], step: Directive) -> Scenario:
    """Run code that makes the files whose names the directive says."""
    return ran(tuple(step.text.split()), expired=False) if interpreter(request) else _no_tool(request)


def code_expired(request: dict[str, Any], step: Directive) -> Scenario:
    """The same, on a machine that is gone once the answer is told."""
    return ran(tuple(step.text.split()), expired=True) if interpreter(request) else _no_tool(request)


def agent(request: dict[str, Any], step: Directive) -> Scenario:
    """Hand a prompt to a subagent, whose own request then comes as another conversation."""
    tool = find_tool(request, "Agent") or find_tool(request, "Task")
    if tool is None or not _may_call(request):
        return _no_tool(request)
    known = (tool.get("parameters") or {}).get("properties", {})
    arguments = {"description": "Play a part of the script", "prompt": step.text}
    if "subagent_type" in known:
        arguments["subagent_type"] = "general-purpose"
    return Scenario((CallItem(tool["name"], fragments(json.encode(arguments).decode())),))


def _suitable(request: dict[str, Any], name: str | None) -> dict[str, Any] | None:
    """Choose a tool: the one named, else Bash, else the first function; none where the request forbids calls."""
    if not _may_call(request):
        return None
    if name:
        return find_tool(request, name)
    tools = offered(request)
    return next((tool for tool in tools if tool["name"] == "Bash"), tools[0] if tools else None)


def _may_call(request: dict[str, Any]) -> bool:
    return request.get("tool_choice") != "none"


def _arguments(request: dict[str, Any], tool: dict[str, Any]) -> Any:
    if tool["name"] == "Bash":
        return {"command": "ls", "description": "List the files of this directory"}
    return arguments_from(current_turn(request).prompt, tool.get("parameters") or {})


def _no_tool(request: dict[str, Any]) -> Scenario:
    return Scenario(
        (_speech(request, "The script wants to call a tool here, but this request offers none that fits."),)
    )


def unicode(_request: dict[str, Any], _step: Directive) -> Scenario:
    """Say what is hard to cut: several scripts, joined emoji, controls."""
    # Character by character: joined emoji and combining marks are cut in the middle, as tokenizers do.
    return Scenario((MessageItem(tuple(_UNICODE)),))


def long(_request: dict[str, Any], step: Directive) -> Scenario:
    """Say as many words as the directive asks for, each a delta."""
    count = int(step.number(200, _MAX_DELTAS))
    return Scenario((MessageItem(tuple(f"word{number} " for number in range(1, count + 1))),))


def slow(request: dict[str, Any], step: Directive) -> Scenario:
    """Say the greeting with a long pause before each delta."""
    return Scenario((_speech(request, GREETING),), pause=step.number(1.0, _MAX_SECONDS))


def refuse(request: dict[str, Any], step: Directive) -> Scenario:
    """Refuse, with a refusal part; where the directive names a model, all others say the greeting."""
    if step.text and step.text != request.get("model"):
        return text_scenario(request, step)
    return Scenario((MessageItem(words("I'm sorry, but I can't help with that."), refusal=True),))


def silence(request: dict[str, Any], step: Directive) -> Scenario:
    """Keep silent for a while, then say the greeting."""
    return Scenario((_speech(request, GREETING),), silence=step.number(1.0, _MAX_SECONDS))


def empty(_request: dict[str, Any], _step: Directive) -> Scenario:
    """Complete without saying anything."""
    return Scenario()


def plain_json(request: dict[str, Any], _step: Directive) -> Scenario:
    """Answer with JSON, also where a stream was asked for."""
    return Scenario((_speech(request, GREETING),), plain_json=True)


def http_error(_request: dict[str, Any], step: Directive) -> Fault:
    """Fail with an HTTP status, and with a code where a status has several."""
    code = [*step.text.split(), "", ""][1]
    return fault(int(min(max(step.number(500, 599), 400), 599)), code)


def overflow(_request: dict[str, Any], _step: Directive) -> Fault:
    """Refuse the input as too long."""
    return CONTEXT_OVERFLOW


def ends_with(ending: ScenarioEnding) -> Builder:
    """Build a scenario that ends so after some words of text: six, or as many as the directive says."""

    def build(_request: dict[str, Any], step: Directive) -> Scenario:
        said = words(GREETING)[: int(step.number(6, _MAX_DELTAS))]
        return Scenario((MessageItem(said),) if said else (), ending)

    return build
