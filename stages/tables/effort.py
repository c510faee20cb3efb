"""How hard to think: Anthropic's modes, budgets and efforts, and the upstream's efforts."""

from __future__ import annotations

from stages.canonical.request import OutputConfig, ThinkingConfig
from stages.tables.models import MODEL_EFFORTS, Model

BUDGETS = ((2_048, "low"), (8_192, "medium"), (24_576, "high"))
"""`budget_tokens` up to a number, and the effort it stands for; more than the last is `xhigh`.

Claude Code's own levels sit inside: 4,000 (think), 10,000 (megathink) and 31,999 (ultrathink).
"""

MODES = ("adaptive", "enabled", "disabled")
"""Values of `thinking.type` that mean upstream what they say."""

UPDATES = "updates"
"""The `display` that wants notes of progress before calls; Claude Code's terminal always asks for it."""

DISPLAYS = (None, "summarized", "omitted")
"""Values of `thinking.display` that are shown as they are meant."""

UNSAID = "medium"
"""The effort of a client that wants thinking and does not say how much, where the model would do without: that of all
models which reason by themselves."""

SMALL_ANSWER = 256
"""Up to so many `max_tokens`, a client that does not ask for thinking wants an answer at once, not a spent budget."""

ROOM_TO_REASON = 1024
"""Tokens for the least reasoning of a model that cannot do without, on top of the text that a client asked for."""


def is_small(max_tokens: int | None) -> bool:
    """Whether so few tokens are a probe, or one word; 0 warms the cache for an answer of any size."""
    return max_tokens is not None and 0 < max_tokens <= SMALL_ANSWER


def wanted(
    thinking: ThinkingConfig | None,
    config: OutputConfig | None,
    max_tokens: int | None,
    *,
    rests_by_default: bool = False,
) -> str | None:
    """The effort a request asks for, in the upstream's words; None leaves it to the model.

    `output_config.effort` says it outright; a budget stands for the effort that would spend it.

    Args:
        thinking: the request's `thinking`.
        config: the request's `output_config`.
        max_tokens: the limit of the answer.
        rests_by_default: whether the model does not reason unless it is told to, so that a mere wish for thinking must
            be said.
    """
    if thinking is not None and thinking.type == "disabled":
        return "none"
    if config is not None and config.effort is not None:
        return config.effort
    if thinking is not None and thinking.budget_tokens is not None:
        return next((effort for limit, effort in BUDGETS if thinking.budget_tokens <= limit), "xhigh")
    if thinking is None and is_small(max_tokens):
        return "none"
    return UNSAID if rests_by_default and thinking is not None else None


def clamp(effort: str, model: Model) -> str | None:
    """The nearest effort that the model accepts, rather less than more; None if it accepts none at all."""
    if not model.efforts:
        return None
    if effort in model.efforts or effort not in MODEL_EFFORTS:
        return effort if effort in MODEL_EFFORTS else None
    rank = MODEL_EFFORTS.index(effort)
    below = [known for known in model.efforts if MODEL_EFFORTS.index(known) < rank]
    return below[-1] if below else model.efforts[0]
