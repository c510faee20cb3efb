"""How hard the model is asked to think, what the client gets to see of it, and what of its wishes could not be met.

Anthropic's words: `thinking` (a mode, a budget, a display), `output_config.effort`, and the same on single messages,
from which on it holds.  The upstream's: one effort for the request, changes of it in place for some models, a summary.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from stages.canonical.place import MESSAGES, ROOT, Place
from stages.canonical.plan import ThinkingDisplay
from stages.canonical.report import Report
from stages.canonical.request import Request
from stages.tables import effort
from stages.tables.models import Model
from stages.tables.profiles import Profile

_THINKING = ROOT.field("thinking")

EffortChange = tuple[int, str]
"""An effort, and the index of the message from which on it holds."""


def display(request: Request) -> ThinkingDisplay:
    """What the client wants to see of the reasoning; without a word, what there is, unless it asks for a mere probe.

    `summarized` is that as well, and so is `updates`: a summary of what was thought before a call is the nearest thing
    to a note of progress.
    """
    thinking = request.thinking
    if thinking is None:
        probe = effort.is_small(request.max_tokens)
        return ThinkingDisplay.NONE if probe else ThinkingDisplay.SHOWN
    if thinking.type == "disabled":
        return ThinkingDisplay.NONE
    return ThinkingDisplay.OMITTED if thinking.display == "omitted" else ThinkingDisplay.SHOWN


def efforts(request: Request, model: Model, profile: Profile, report: Report) -> tuple[str | None, dict[int, str]]:
    """The effort of the whole request, and by message index where it changes in the middle.

    What stands before the conversation must not change while it grows (law 9).  So a model that takes changes in place
    keeps the effort that held for its first answer.  Claude Code says it on a message before that answer, and repeats
    the newest one at the top of each request, where it tells nothing about the first; others say one there that stays.
    """
    own = _own(request, model, profile, report)
    changes = _changes(request, model, profile, report)
    if not changes:
        return own, {}
    if not model.configuration_updates:
        return _last(changes, report), {}
    answer = next((at for at, message in enumerate(request.messages) if message.role == "assistant"), None)
    repeated = _is_said(request) and (answer is None or changes[0][0] < answer)
    first = changes[0][1] if repeated else own
    steps: list[tuple[int, str | None]] = [(-1, first), *changes]
    return first, {at: now for (_, before), (at, now) in pairwise(steps) if now is not None and now != before}


def reasoning(overall: str | None, shown: ThinkingDisplay, model: Model, profile: Profile) -> dict[str, Any]:
    """The `reasoning` field; absent for models that do not reason and servers that do not know it."""
    if _deaf(model, profile):
        return {}
    fields = {} if overall is None else {"effort": overall}
    if profile.summaries and shown is ThinkingDisplay.SHOWN:
        fields["summary"] = "auto"
    return {"reasoning": fields} if fields else {}


def _deaf(model: Model, profile: Profile) -> str:
    """Say why nothing can be asked about reasoning here; empty when it can."""
    if not model.efforts:
        return "the model does not reason"
    return "" if profile.effort else "the upstream takes no word about reasoning"


def _own(request: Request, model: Model, profile: Profile, report: Report) -> str | None:
    """Pick the effort that the request itself asks for, and report what of its wishes that does not meet."""
    wanted = effort.wanted(
        request.thinking, request.output_config, request.max_tokens, rests_by_default=model.rests_by_default
    )
    chosen = effort.clamp(wanted, model) if wanted is not None and profile.effort else None
    _note_effort(request, chosen, model, profile, report)
    _note_thinking(request, chosen, model, profile, report)
    return chosen


def _note_effort(request: Request, chosen: str | None, model: Model, profile: Profile, report: Report) -> None:
    word = request.output_config.effort if request.output_config else None
    if word is not None:
        reason = _deaf(model, profile) or _overruled(request)
        _note_word(_effort_in(ROOT), word, None if reason else chosen, reason, report)


def _overruled(request: Request) -> str:
    off = request.thinking is not None and request.thinking.type == "disabled"
    return "thinking is switched off" if off else ""


def _effort_in(place: Place) -> Place:
    """Where the request, or a message, says its effort."""
    return place.field("output_config").field("effort")


def _note_word(place: Place, word: str, chosen: str | None, reason: str, report: Report) -> None:
    """Report an effort that another one stands for, or none."""
    if chosen is None:
        report.dropped(place, reason or "no effort that the upstream knows")
    elif chosen != word:
        report.approximated(place, f"the nearest effort that the model takes is {chosen}")


def _note_thinking(request: Request, chosen: str | None, model: Model, profile: Profile, report: Report) -> None:
    """Report what `thinking` says that the upstream cannot do just so."""
    thinking, deaf, mode = request.thinking, _deaf(model, profile), _THINKING.field("type")
    if thinking is None:
        return
    if thinking.type == "disabled":
        if deaf and model.efforts:
            report.approximated(mode, f"{deaf}; none of it is shown")
        elif not deaf and chosen != "none":
            report.approximated(mode, f"the model cannot do without: effort {chosen}, and nothing is shown")
        return
    if deaf:
        report.dropped(mode, deaf)
        return
    if thinking.type not in effort.MODES:
        report.approximated(mode, "the model itself decides when it reasons")
    if thinking.budget_tokens is not None and _is_said(request):
        report.dropped(_THINKING.field("budget_tokens"), "output_config.effort says how hard to think")
    elif thinking.budget_tokens is not None:
        report.approximated(_THINKING.field("budget_tokens"), f"the upstream has efforts, not budgets: {chosen}")
    _note_display(thinking.display, profile, report)


def _note_display(asked: str | None, profile: Profile, report: Report) -> None:
    if not profile.summaries and asked != "omitted":
        report.approximated(_THINKING.field("display"), "the upstream gives no summaries of its reasoning")
    elif asked == effort.UPDATES:
        report.emulated(_THINKING.field("display"), "summaries of the reasoning are the notes of progress")
    elif asked not in effort.DISPLAYS:
        report.approximated(_THINKING.field("display"), "the summary of the reasoning is shown")


def _is_said(request: Request) -> bool:
    return request.output_config is not None and request.output_config.effort is not None


def _changes(request: Request, model: Model, profile: Profile, report: Report) -> list[EffortChange]:
    """Read the efforts of single messages, as the model takes them; those that it cannot take are reported."""
    reason = _deaf(model, profile) or _overruled(request)
    changes: list[EffortChange] = []
    for index, message in enumerate(request.messages):
        word = message.output_config.effort if message.output_config else None
        if word is None:
            continue
        fitting = None if reason else effort.clamp(word, model)
        _note_word(_effort_in(MESSAGES.at(index)), word, fitting, reason, report)
        if fitting is not None:
            changes.append((index, fitting))
    return changes


def _last(changes: list[EffortChange], report: Report) -> str:
    """Take the newest effort for the whole request, where the model takes one alone."""
    last = changes[-1][1]
    for index, word in changes:
        if word != last:
            report.dropped(_effort_in(MESSAGES.at(index)), "the model takes one effort, the newest")
    return last
