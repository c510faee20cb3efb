"""The conversation: which scenario a request gets.

One table from the word of a directive to the function that builds its scenario.  What holds for every scenario
(reasoning first where effort asks for it, no more calls than allowed, the limit of output tokens) is added once, in
`choose_scenario`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

from attrs import evolve

from pipeline.emulator import scenarios
from pipeline.emulator.directives import Directive, parse_directives
from pipeline.emulator.faults import RATE_LIMIT, SERVER_ERROR, Fault
from pipeline.emulator.loop import current_turn, effort
from pipeline.emulator.scenario import (
    CallItem,
    Closing,
    ReasoningItem,
    Scenario,
    ScenarioEnding,
    ScenarioItem,
    shorten,
    words,
)

_Groups: TypeAlias = tuple[tuple[Directive, ...], ...]


def choose_scenario(request: dict[str, Any]) -> Scenario | Fault:
    """Choose what to answer: the turn that the prompt's directives ask for, or what the request itself asks for.

    A request that prepares the cache is answered with nothing.
    """
    if (request.get("prompt_cache_options") or {}).get("prewarm"):
        return Scenario(())
    turn = current_turn(request)
    left = turn.results
    groups, side_request = _apart(parse_directives(turn.prompt, frozenset(DIRECTIVES)))
    if side_request and not request.get("tools"):
        groups = side_request[:1]
    for group in groups:
        calls = _count_calls(_made({**request, "tool_choice": None}, group))  # what was called may be gone by now
        if 0 < calls <= left:
            left -= calls
            continue
        return _staged(request, _made(request, group), left)
    return _staged(
        request, [scenarios.closing(request, turn.results) if turn.results else scenarios.unprompted(request)], 0
    )


def _made(request: dict[str, Any], group: tuple[Directive, ...]) -> list[Scenario | Fault]:
    """Carry out the directives of one turn."""
    return [DIRECTIVES[step.word](request, step) for step in group]


def _count_calls(made: Sequence[Scenario | Fault]) -> int:
    spoken = (item for scenario in made if isinstance(scenario, Scenario) for item in scenario.items)
    return sum(isinstance(item, CallItem) for item in spoken)


def _apart(groups: _Groups) -> tuple[_Groups, _Groups]:
    """Split the groups of a prompt into its turns and its side requests."""
    side_requests = tuple(group for group in groups if group[0].word == _SIDE_REQUEST)
    return tuple(group for group in groups if group not in side_requests), side_requests


def _staged(request: dict[str, Any], made: Sequence[Scenario | Fault], called: int) -> Scenario | Fault:
    """Join what the steps of one turn made, and add what holds for every scenario."""
    parts: list[Scenario] = []
    for one in made:
        if isinstance(one, Fault):
            return one
        parts.append(one)
    scenario = _joined(parts)
    scenario = evolve(scenario, items=_callable(request, _thoughtful(request, scenario.items), called))
    budget = request.get("max_output_tokens")
    return shorten(scenario, budget) if isinstance(budget, int) else scenario


def _joined(parts: list[Scenario]) -> Scenario:
    first = parts[0]
    for scenario in parts[1:]:
        first = Scenario(
            items=first.items + scenario.items,
            ending=first.ending if first.ending != ScenarioEnding() else scenario.ending,
            pause=scenario.pause if first.pause is None else first.pause,
            silence=max(first.silence, scenario.silence),
            plain_json=first.plain_json or scenario.plain_json,
        )
    return first


def _thoughtful(request: dict[str, Any], spoken: tuple[ScenarioItem, ...]) -> tuple[ScenarioItem, ...]:
    """Put reasoning first where the request asks for effort; its summary shows only where that is asked for too."""
    if not spoken or effort(request) == "none" or any(isinstance(item, ReasoningItem) for item in spoken):
        return spoken
    shown = bool((request.get("reasoning") or {}).get("summary"))
    return (ReasoningItem((words(scenarios.THOUGHTS[0]),) if shown else ()), *spoken)


def _callable(request: dict[str, Any], spoken: tuple[ScenarioItem, ...], called: int) -> tuple[ScenarioItem, ...]:
    """Leave out the calls of this turn that are answered already, and all but one where calls may not be parallel."""
    calls = [item for item in spoken if isinstance(item, CallItem)][called:]
    if request.get("parallel_tool_calls") is False:
        calls = calls[:1]
    others = [item for item in spoken if not isinstance(item, CallItem)]
    return (*others, *calls)


_SIDE_REQUEST = "aside"
"""Is no turn of its prompt: it says what a request is answered that quotes the prompt and offers no tool, as clients
send one to have a session named, or a command judged, before they go on."""

_BROKEN = Closing.OPEN
DIRECTIVES: dict[str, scenarios.Builder] = {
    "text": scenarios.text_scenario,
    "say": scenarios.say_scenario,
    _SIDE_REQUEST: scenarios.say_scenario,
    "think": scenarios.think,
    "call": scenarios.call,
    "calls": scenarios.calls,
    "badargs": scenarios.bad_arguments,
    "agent": scenarios.agent,
    "search": scenarios.search,
    "code": scenarios.code,
    "code-expired": scenarios.code_expired,
    "unicode": scenarios.unicode,
    "long": scenarios.long,
    "slow": scenarios.slow,
    "silence": scenarios.silence,
    "refuse": scenarios.refuse,
    "empty": scenarios.empty,
    "json": scenarios.plain_json,
    "error": scenarios.http_error,
    "overflow": scenarios.overflow,
    "max": scenarios.ends_with(ScenarioEnding("incomplete", Closing.INCOMPLETE, reason="max_output_tokens")),
    "filter": scenarios.ends_with(ScenarioEnding("incomplete", Closing.INCOMPLETE, reason="content_filter")),
    "failed": scenarios.ends_with(ScenarioEnding("failed", _BROKEN, code="server_error", message=SERVER_ERROR)),
    "midstream-error": scenarios.ends_with(
        ScenarioEnding("failed", _BROKEN, code="rate_limit_exceeded", message=RATE_LIMIT, error_event=True)
    ),
    "cut": scenarios.ends_with(ScenarioEnding("in_progress", _BROKEN, terminal=False)),
    "garbage": scenarios.ends_with(ScenarioEnding(garbage=True)),
}
"""The scenario of each directive, by its word."""
