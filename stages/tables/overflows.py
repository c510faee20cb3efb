"""A prompt that does not fit, in everybody's words, and in Anthropic's: clients compact, or ask for less, on those.

Two sentences, and they differ in what heals: `prompt is too long` makes a client compact, `input length and max_tokens
exceed context limit` makes it ask for a shorter answer.  Which one it is, the upstream's numbers decide.  They are
found by what stands beside them, not by whole sentences: servers change their wording with every release.  A number
that was not told is never made up.

Source: the error texts of OpenAI, Azure, Bedrock, Gemini, xAI, Groq, Mistral, Moonshot, MiniMax, Zhipu, DashScope,
Copilot, OpenRouter, vLLM, SGLang, TGI, llama.cpp, LM Studio, Ollama and MLX, as their users report them (2025, 2026).
"""

from __future__ import annotations

import re

import attrs

from stages.canonical.plan import AnswerPlan
from stages.tables.error_shapes import ErrorContent

OVERFLOW = "context_length_exceeded"
"""`Failure.cause` of a prompt that does not fit, whoever noticed it."""

CODES = frozenset(
    {
        OVERFLOW,
        "exceed_context_size_error",
        "string_above_max_length_input",
        "context_window_exceeded",
        "ContextWindowExceededError",
        "model_context_window_exceeded",
        "model_max_prompt_tokens_exceeded",
        "max_tokens_exceeded",
        "prompt_too_long",
        "input_too_long",
        "context_overflow",
    }
)
"""Codes that say it."""

_CERTAIN = re.compile(
    r"context[ _-]?(length|window|size|limit|overflow)|exceeds? the (available )?context|"
    r"max(imum)?[ _](prompt|input|model|seq|sequence|position)[ _](len|length|size|embeddings)|max_num_tokens|"
    r"\bn_ctx\b|prompt exceeds|current length is \d{1,12} while|max_tokens must be [^\n]{0,30}got -\d|"
    r"(prompt|inputs?|request|messages|conversation)( token)?( length)?( is| are| was|:)? too long|"
    r"reduce (the |your )?(length|size) of (the |your )?(messages|prompt|input)|"
    r"keep the first \d{1,12} tokens|tokens to keep from the initial prompt|range of input length|"
    r"(exceed(s|ed|ing)?|over) (the )?(model'?s? )?token limit|token limit (is |was )?exceeded|"
    r"more than max tokens allowed|tokens \+ `?max_new_tokens|must have less than \d{1,12} tokens|"
    r"超长|上下文",
    re.IGNORECASE,
)
_LIKELY = re.compile(
    r"too many (input |prompt )?tokens|\b(input|prompt|tokens?|request)\b[^\n]{0,60}?\b"
    r"(exceed(s|ed|ing)?|(longer|greater|larger|more) than|surpass(es|ed)?)\b[^\n]{0,60}?\b"
    r"(tokens?|max(imum)?|limit|length)\b",
    re.IGNORECASE,
)
_SPEAKS_OF_RATES = re.compile(
    r"rate.?limit|per.?(minute|min|second|day|hour)\b|\b[TR]P[MD]\b|too many requests|throttl|quota|please wait|"
    r"try again (later|in)\b|concurren",
    re.IGNORECASE,
)
_SPEAKS_OF_OTHER_SIZES = re.compile(
    r"image|picture|\bpdf|\bfiles?\b|characters|\bbytes\b|\d ?[KM]i?B\b|max_(output_|completion_)?tokens", re.IGNORECASE
)

_N = r"(?P<n>\d{1,3}(?:[,_]\d{3}){1,4}(?!\d)|\d{1,12})"
_SHORT = r"(?:(?!exceed|limit|max|only)[^.\d\n]){0,40}?"
_LIMITS = (
    rf"context[ _](?:length|window|size|limit)(?: is| of|:|=)?(?: only)?(?: of)?[ (:=]{{1,3}}{_N}",
    rf"max_(?:model_len|total_tokens|seq_len|num_tokens|input_len|position_embeddings)(?: is)?[ :=(]{{1,3}}{_N}",
    rf"(?:can ?not|not|to) exceed {_N}",
    rf"\d(?: tokens?)? (?:>|exceeds?) {_N}",
    rf"(?:prompt|input|model|sequence)[ _](?:length|window|size)(?: is| of|:|=)[ (]{{1,2}}{_N}",
    rf"\[\d{{1,9}}, ?{_N}\]",
    rf"{_N}(?: tokens?)? max(?:imum)?\b",
    rf"limit(?: of| is|:)? ?\(?{_N}",
    rf"max(?:imum)?\b[^.\d\n]{{0,50}}?\(?{_N}",
    rf"(?:less than(?: or equal to)?|<=|at most|up to|no more than|n_ctx['\":]{{0,2}}) [`'\"]?{_N}",
)
_OUTPUTS = (
    rf"{_N} `?(?:output|completion|new|max_new)[ _]tokens",
    rf"{_N} (?:tokens )?(?:in|for|of) (?:the |your )?(?:completion|output|response)",
    rf"max_(?:completion_|output_|new_)?tokens['\"`]?(?: is too large)?[ :=(]{{1,3}}{_N}",
    rf"but got {_N}",
)
_PROMPTS = (
    rf"{_N} (?:tokens )?(?:in|from|of) (?:the |your )?(?:input )?(?:messages?|prompt|text input)",
    rf"{_N} `?(?:input|prompt)s?`? tokens",
    rf"(?:resulted in|passed|given:|first|n_keep['\":]{{0,2}}) (?:at least )?{_N}",
    rf"(?:input|prompt) length (?:of )?\(?{_N}\)?(?: tokens)? exceeds",
    rf"(?:token count|number of (?:input )?tokens)(?: of| is|:)? ?\(?{_N}",
    rf"(?:sequence|prompt|input|current) length(?: is| of)? \(?{_N}",
    rf"\breceived {_N}",
    rf"{_N}(?: tokens?)? (?:>|exceeds?) \d",
    rf"\b(?:prompt|input|request|messages?)\b(?! ?(?:length|limit|window|size)){_SHORT}{_N}",
)
_TOTALS = (
    rf"requested:?(?: about| a total of)? {_N}",
    rf"total of (?:at least )?{_N}",
    rf"total (?:number of )?tokens?:? \(?{_N}",
)
_SUM = re.compile(r"(\d{1,12}) \+ (\d{1,12}) > (\d{1,12})")
_ROLES = {
    role: tuple(re.compile(pattern, re.IGNORECASE) for pattern in patterns)
    for role, patterns in {"limit": _LIMITS, "output": _OUTPUTS, "prompt": _PROMPTS, "total": _TOTALS}.items()
}
# In this order: a number that is one thing is not looked at as another.


def says_overflow(sentence: str) -> bool:
    """Whether a sentence says that the prompt does not fit; one about rates is not about the prompt."""
    if _SPEAKS_OF_RATES.search(sentence):
        return False
    likely = _LIKELY.search(sentence) and not _SPEAKS_OF_OTHER_SIZES.search(sentence)
    return bool(likely or _CERTAIN.search(sentence))


@attrs.frozen
class Numbers:
    """The sizes that a sentence tells, in tokens; None where it tells none.

    Attributes:
        limit: what would fit.
        output: what is kept for the answer.
        prompt: the prompt alone.
        total: what was asked for, which may be the sum of both.
    """

    limit: int | None = None
    output: int | None = None
    prompt: int | None = None
    total: int | None = None


def numbers_in(sentence: str) -> Numbers:
    """Find the sizes in a sentence."""
    if found := _SUM.search(sentence):
        prompt, output, limit = map(int, found.groups())
        return Numbers(limit, output, prompt)
    taken: set[int] = set()
    sizes: dict[str, int] = {}
    for role, patterns in _ROLES.items():
        matches = (
            found for pattern in patterns for found in pattern.finditer(sentence) if found.start("n") not in taken
        )
        if first := next(matches, None):
            taken.add(first.start("n"))
            sizes[role] = int(first["n"].replace(",", "").replace("_", ""))
    return Numbers(**sizes)


def overflow_message(sentence: str, plan: AnswerPlan | None = None, told: ErrorContent | None = None) -> str:
    """Say it in Anthropic's words, with the upstream's numbers as far as it told them.

    Args:
        sentence: the upstream's own.
        plan: the request's plan: an answer's limit that was sent may be part of the upstream's sum.
        told: the rest of the error, which may hold numbers in fields of their own.
    """
    numbers = numbers_in(sentence)
    limit = (told.window if told else None) or numbers.limit
    prompt, output = (told.tokens if told else None) or numbers.prompt, numbers.output
    if numbers.total is not None:
        output = output or (_output_in(numbers.total, limit, plan) if prompt is None else None)
        prompt = max(prompt or 0, numbers.total - (output or 0)) if output or prompt is None else prompt
    if limit and prompt and prompt > limit:
        return too_long(prompt, limit)
    if limit and prompt and output and prompt + output > limit > prompt:
        estimate = plan.input_tokens if plan else 0
        return no_room(max(prompt, estimate if estimate < limit else 0), output, limit)
    return unnumbered(sentence)


def _output_in(total: int, limit: int | None, plan: AnswerPlan | None) -> int | None:
    """The part of a sum that is the answer's: where the rest would fit, the sum is what does not."""
    asked = plan.max_output_tokens if plan else None
    return asked if asked and limit and 0 < total - asked < limit else None


def too_long(tokens: int, maximum: int) -> str:
    """Anthropic's sentence for a prompt that does not fit; a count below the limit is known to be wrong, and raised."""
    return f"prompt is too long: {max(tokens, maximum + 1)} tokens > {maximum} maximum"


def too_much(output: int, maximum: int) -> str:
    """Anthropic's sentence for an answer that may not be so long: Claude Code lowers its limit on it."""
    return f"max_tokens: {output} > {maximum}, which is the maximum allowed number of output tokens for this model"


_ABOUT_OUTPUT = re.compile(r"max_(completion_|output_|new_)?tokens", re.IGNORECASE)


def output_message(sentence: str, plan: AnswerPlan | None = None) -> str | None:
    """Anthropic's sentence, where the upstream's is about the answer's limit alone; None where it is not."""
    if not _ABOUT_OUTPUT.search(sentence):
        return None
    numbers = numbers_in(sentence)
    asked = numbers.output or (plan.max_output_tokens if plan else None)
    if numbers.prompt or not numbers.limit or not asked or asked <= numbers.limit:
        return None
    return too_much(asked, numbers.limit)


def unnumbered(sentence: str) -> str:
    """The same where nobody told how long, with the upstream's words instead."""
    if sentence.lower().startswith("prompt is too long"):
        return sentence
    return f"prompt is too long: {sentence}" if sentence else "prompt is too long"


def no_room(tokens: int, output: int, maximum: int) -> str:
    """Anthropic's sentence for a prompt that fits, but not with its answer: Claude Code asks for a shorter one."""
    return f"input length and `max_tokens` exceed context limit: {tokens} + {output} > {maximum}"
