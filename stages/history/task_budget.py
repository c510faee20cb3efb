"""`output_config.task_budget`: a model is told how many tokens its whole task may take, and what is left of them.

A model of Anthropic's sees a countdown while it works; another model gets the same in words, behind each message that
goes in, so that a later turn repeats the bytes of the one before.  What has been used is everything behind the first
message: thinking, calls, results and answers, by an estimate.  It is advice: nothing is cut off when none is left.

Source: `BetaTokenTaskBudgetParam` of the Anthropic SDK 2.14; `remaining` carries a budget into another context.
"""

from __future__ import annotations

import attrs

from stages.canonical.place import ROOT
from stages.canonical.request import HistoryNote, JsonObject, Request
from stages.counter import Tokens
from stages.counter.blocks import count_block
from stages.tables.fields.settings import BUDGET

_PLACE = ROOT.field("output_config").field("task_budget")


def with_budget(request: Request, tokens: Tokens) -> Request:
    """Note what the model is told about its budget, and behind which messages; the request itself where it has none.

    Args:
        request: what the client sent, whole: what an edit takes out has been used all the same.
        tokens: the number of tokens of one text.
    """
    budget = budget_of(request)
    if budget is None or not isinstance(budget.get("total"), int):
        return request
    total, remaining = budget["total"], budget.get("remaining")
    left = total if remaining is None else remaining
    reminders: dict[int, str] = {}
    for index, message in enumerate(request.messages):
        if index:
            left -= sum(count_block(block, tokens) for block in message.content)
        if message.role == "user":
            reminders[index] = _words(total, left, first=not reminders)
    notes = (*request.edits.notes, HistoryNote(_PLACE, BUDGET))
    return attrs.evolve(request, edits=attrs.evolve(request.edits, reminders=reminders, notes=notes))


def budget_of(request: Request) -> JsonObject | None:
    """The budget that a request names; None where it names none."""
    budget = request.output_config.extra.get("task_budget") if request.output_config else None
    return budget if isinstance(budget, dict) else None


def _words(total: int, left: int, *, first: bool) -> str:
    if left <= 0:
        return f"The budget of {total} tokens for this task is used up: finish now, and say what is not done."
    told = f"About {left} of {total} tokens are left for this task."
    return f"{told} {_ABOUT}" if first else told


_ABOUT = (
    "Thinking, calls, their results and answers count, in all turns. Plan by it: finish the work, or bring it to a "
    "clean stop and say what is not done, before they are used up."
)
