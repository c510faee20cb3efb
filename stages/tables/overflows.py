"""A prompt that does not fit, in everybody's words, and in Anthropic's: clients compact, or ask for less, on those.

Two sentences, and they differ in what heals: `prompt is too long` makes a client compact, `input length and max_tokens
exceed context limit` makes it ask for a shorter answer.  Which one it is, the upstream's numbers decide, which
`token_counts` finds.

Source: the error texts of OpenAI, Azure, Bedrock, Gemini, xAI, Groq, Mistral, Moonshot, MiniMax, Zhipu, DashScope,
Copilot, OpenRouter, vLLM, SGLang, TGI, llama.cpp, LM Studio, Ollama and MLX, as their users report them (2025, 2026).
"""

from __future__ import annotations

import re

from stages.canonical.plan import AnswerPlan
from stages.tables.error_shapes import ErrorContent
from stages.tables.token_counts import numbers_in

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

CODE_LIKE = re.compile(
    r"context.?(len|window|size|limit|overflow|exceed|too)|tokens?.?limit.?(exceed|reach)|max.?(prompt|input|context)|"
    r"(prompt|input|request|message)s?.?(tokens?.?|length.?)?(too.?long|exceed|length|limit)|(prompt|input)s?.?too.?large",
    re.IGNORECASE,
).search
"""Whether a code that no table knows says it, by what stands in it."""


def _any_of(*alternatives: str) -> re.Pattern[str]:
    return re.compile("|".join(alternatives), re.IGNORECASE)


_NEAR = r"(?:[^.\n]|\.(?!\s|$))"
# Within a sentence: a dot that something follows is one of a number, or of a name.
_CONTEXT = r"\bcontext\b(?!['\"`_.=]|:? (deadline|cancel|manager|cache))"
_CERTAIN = _any_of(
    r"context[ _-]?(length|window|size|limit|overflow)",
    rf"(exceed(s|ed|ing)?|fit|enough|insufficient|out of|beyond|(larg|long|bigg)er than){_NEAR}{{0,25}}{_CONTEXT}",
    rf"{_CONTEXT}{_NEAR}{{0,25}}(exceed|overflow|too (long|large|small)|\d{{3,9}} tokens|(is|of|=) \d{{3,9}}\b)",
    r"max(imum)?[ _](prompt|input|model|seq|sequence|position)[ _](len|length|size|embeddings)|max_num_tokens",
    r"max(imum)?[ _](prompt|input|context)[ _](tokens?|characters)",
    r"\bn_ctx\b|prompt exceeds|current length is \d{1,12} while|max_tokens must be [^\n]{0,30}got -\d",
    r"(prompt|inputs?|request|messages?|conversation)( to the model)?( tokens?)?( length)?( is| are| was|:)? too long",
    r"reduce (the |your )?((length|size) of (the |your )?(messages|prompt|input)|(input|prompt) (token )?count)",
    r"(input|prompt) token count is \d{1,12} but|range of input length",
    r"keep the first \d{1,12} tokens|tokens to keep from the initial prompt",
    r"(exceed(s|ed|ing)?|over) (the )?(model'?s? )?token limit|token limit (is |was )?exceeded",
    r"more than max tokens allowed|tokens \+ `?max_new_tokens|must have less than \d{1,12} tokens",
    rf"tokens{_NEAR}{{0,30}} exceeds? (the )?max{_NEAR}{{0,20}} tokens|expected maxLength: \d{{1,12}}, actual",
    rf"(prompt|input)s?\b{_NEAR}{{0,20}}(\+|plus|and) `?max_\w{{0,12}}tokens",
    rf"max_\w{{0,12}}tokens{_NEAR}{{0,20}}(\+|plus|and) (the )?(prompt|input)",
    r"total message size \d{1,12} exceeds|CONTENT_LENGTH_EXCEEDS_THRESHOLD",
    r"contexte|contexto|contesto|kontext(l|f|g)|kontekst|bağlam|ngữ cảnh|コンテキスト|컨텍스트|контекст|上下文",
    r"超长|超長|(输入|輸入|对话|對話|会话|會話|消息|提示词?|文本|请求内容|prompt|messages?|(?<!_)tokens?|长度|長度)[^\n]{0,12}"
    r"(过长|過長|太长|太長|超出|超过|超過|超限)|入力[^\n]{0,12}(長すぎ|超え)|입력[^\n]{0,4} 너무|слишком длинн",
)
_MORE = r"(exceed(s|ed|ing)?|(longer|greater|larger|more) than|surpass(es|ed)?|(over|above|beyond) the)\b"
_LIKELY = _any_of(
    r"too many (input |prompt )?tokens|\b(prompt|input|sequence)s? (is )?too large",
    rf"\b(input|prompt|token|sequence|conversation)s?\b{_NEAR}{{0,60}}?\b{_MORE}{_NEAR}{{0,60}}?"
    r"(\b(tokens?|max(imum)?|limit|length|context|size|capacity)\b|\b\d{4,9}\b)",
    rf"\brequest\b{_NEAR}{{0,60}}?\b{_MORE}{_NEAR}{{0,60}}?\b(tokens?|token limit|max(imum)? length)\b",
    rf"\b(max(imum)?|limit|only|at most|up to)\b{_NEAR}{{0,20}}\d{{3,9}} tokens?\b{_NEAR}{{0,40}}"
    r"\b(but|got|received|sent)\b",
)
_SPEAKS_OF_RATES = _any_of(
    r"rate.?limit|per.?(minute|min|second|day|hour)\b|\b[TR]P[MD]\b|too many requests|throttl|quota|please wait",
    r"try again (later|in)\b|concurren|usage limit|last \d{1,4} ?(s|m|h)|\b(hourly|daily|weekly|monthly)\b",
    r"速率|每分钟|频率|限流|并发|每日|每天|当日|每月|次数|额度|配额|余额",
)
_SPEAKS_OF_RIGHTS = _any_of(r"permission|\baccess to\b|have access|not (enabled|available) (for|in|on) your")
_SPEAKS_OF_OTHER_SIZES = _any_of(
    r"image|picture|\bpdf|\bfiles?\b|characters|\bbytes\b|\d ?[KM]i?B\b|max_(output_|completion_)?tokens",
    r"retries|attempt|\btools?\b|functions?\b|string|array|\bstop\b|entity|payload|credits?|budget",
)


def certainly_overflow(sentence: str) -> bool:
    """Whether a sentence says that the prompt does not fit, in words that mean nothing else.

    One about rates is not about the prompt, and one about what somebody may use is not about its size.
    """
    return bool(_CERTAIN.search(sentence)) and not _speaks_of_others(sentence)


def likely_overflow(sentence: str) -> bool:
    """Whether a sentence says that something is too large which is likely to be the prompt."""
    others = _speaks_of_others(sentence) or _SPEAKS_OF_OTHER_SIZES.search(sentence)
    return bool(_LIKELY.search(sentence)) and not others


def _speaks_of_others(sentence: str) -> bool:
    return bool(_SPEAKS_OF_RATES.search(sentence) or _SPEAKS_OF_RIGHTS.search(sentence))


def overflow_message(sentence: str, plan: AnswerPlan | None = None, told: ErrorContent | None = None) -> str:
    """Say it in Anthropic's words, with the upstream's numbers as far as it told them.

    Args:
        sentence: the upstream's own.
        plan: the request's plan: an answer's limit that was sent may be part of the upstream's sum.
        told: the rest of the error, which may hold numbers in fields of their own.
    """
    numbers = numbers_in(sentence, plan.max_output_tokens if plan else None)
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


_ABOUT_OUTPUT = re.compile(r"max_(completion_|output_|new_)?tokens|maximum tokens you requested", re.IGNORECASE)


def output_message(sentence: str, plan: AnswerPlan | None = None) -> str | None:
    """Anthropic's sentence, where the upstream's is about the answer's limit alone; None where it is not."""
    if not _ABOUT_OUTPUT.search(sentence):
        return None
    numbers = numbers_in(sentence, plan.max_output_tokens if plan else None)
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
