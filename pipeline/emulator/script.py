"""The script: which scene a request gets.

One table from cue word to the function that builds its scene.  What holds for every scene (reasoning first where
effort asks for it, no more calls than allowed, the limit of output tokens) is added once, in `play`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

from attrs import evolve

from pipeline.emulator import scenes
from pipeline.emulator.cues import Step, parse
from pipeline.emulator.faults import RATE_LIMIT, SERVER_ERROR, Fault
from pipeline.emulator.loop import current_turn, effort
from pipeline.emulator.scene import Call, Closing, Ending, Item, Reasoning, Scene, shorten, words

_Groups: TypeAlias = tuple[tuple[Step, ...], ...]


def play(request: dict[str, Any]) -> Scene | Fault:
    """Choose what to answer: the turn that the prompt's cues ask for, or what the request itself asks for."""
    turn = current_turn(request)
    left = turn.results
    groups, aside = _apart(parse(turn.prompt, frozenset(SCRIPT)))
    if aside and not request.get("tools"):
        groups = aside[:1]
    for group in groups:
        made = [SCRIPT[step.word](request, step) for step in group]
        calls = sum(isinstance(item, Call) for scene in made if isinstance(scene, Scene) for item in scene.items)
        if 0 < calls <= left:
            left -= calls
            continue
        return _staged(request, made, left)
    return _staged(request, [scenes.closing(request, turn.results) if turn.results else scenes.unprompted(request)], 0)


def _apart(groups: _Groups) -> tuple[_Groups, _Groups]:
    """Split the groups of a prompt into its turns and its asides."""
    asides = tuple(group for group in groups if group[0].word == _ASIDE)
    return tuple(group for group in groups if group not in asides), asides


def _staged(request: dict[str, Any], made: Sequence[Scene | Fault], called: int) -> Scene | Fault:
    """Join what the steps of one turn made, and add what holds for every scene."""
    parts: list[Scene] = []
    for one in made:
        if isinstance(one, Fault):
            return one
        parts.append(one)
    scene = _joined(parts)
    scene = evolve(scene, items=_callable(request, _thoughtful(request, scene.items), called))
    budget = request.get("max_output_tokens")
    return shorten(scene, budget) if isinstance(budget, int) else scene


def _joined(parts: list[Scene]) -> Scene:
    first = parts[0]
    for scene in parts[1:]:
        first = Scene(
            items=first.items + scene.items,
            ending=first.ending if first.ending != Ending() else scene.ending,
            pause=scene.pause if first.pause is None else first.pause,
            silence=max(first.silence, scene.silence),
            plain_json=first.plain_json or scene.plain_json,
        )
    return first


def _thoughtful(request: dict[str, Any], spoken: tuple[Item, ...]) -> tuple[Item, ...]:
    """Put reasoning first where the request asks for effort; its summary shows only where that is asked for too."""
    if not spoken or effort(request) == "none" or any(isinstance(item, Reasoning) for item in spoken):
        return spoken
    shown = bool((request.get("reasoning") or {}).get("summary"))
    return (Reasoning((words(scenes.THOUGHTS[0]),) if shown else ()), *spoken)


def _callable(request: dict[str, Any], spoken: tuple[Item, ...], called: int) -> tuple[Item, ...]:
    """Leave out the calls of this turn that are answered already, and all but one where calls may not be parallel."""
    calls = [item for item in spoken if isinstance(item, Call)][called:]
    if request.get("parallel_tool_calls") is False:
        calls = calls[:1]
    others = [item for item in spoken if not isinstance(item, Call)]
    return (*others, *calls)


_ASIDE = "aside"
"""Is no turn of its prompt: it tells what a request hears that quotes the prompt and offers no tool, as clients do to
have a session named, or a command judged, before they go on."""

_BROKEN = Closing.OPEN
SCRIPT: dict[str, scenes.Builder] = {
    "text": scenes.text,
    "say": scenes.say,
    _ASIDE: scenes.say,
    "think": scenes.think,
    "call": scenes.call,
    "calls": scenes.calls,
    "badargs": scenes.bad_arguments,
    "agent": scenes.agent,
    "search": scenes.search,
    "unicode": scenes.unicode,
    "long": scenes.long,
    "slow": scenes.slow,
    "silence": scenes.silence,
    "refuse": scenes.refuse,
    "empty": scenes.empty,
    "json": scenes.plain_json,
    "error": scenes.http_error,
    "overflow": scenes.overflow,
    "max": scenes.ends_with(Ending("incomplete", Closing.INCOMPLETE, reason="max_output_tokens")),
    "filter": scenes.ends_with(Ending("incomplete", Closing.INCOMPLETE, reason="content_filter")),
    "failed": scenes.ends_with(Ending("failed", _BROKEN, code="server_error", message=SERVER_ERROR)),
    "midstream-error": scenes.ends_with(
        Ending("failed", _BROKEN, code="rate_limit_exceeded", message=RATE_LIMIT, error_event=True)
    ),
    "cut": scenes.ends_with(Ending("in_progress", _BROKEN, terminal=False)),
    "garbage": scenes.ends_with(Ending(garbage=True)),
}
"""What each cue word plays."""
