"""Prompts that do not fit, in everybody's words."""

from __future__ import annotations

import pytest

from stages.canonical.failure import Kind
from stages.canonical.plan import AnswerPlan
from stages.tables.errors import failure_of
from stages.tables.overflows import (
    OVERFLOW,
    certainly_overflow,
    likely_overflow,
    no_room,
    output_message,
    too_long,
)
from tests.support.cases import cases

PLAN = AnswerPlan("msg_1", "claude-x", "gpt-x", max_output_tokens=32_000, input_tokens=100)

TOO_LONG = {
    "This model's maximum context length is 8000 tokens. However, your messages resulted in 9000 tokens.": (9000, 8000),
    "request (9000 tokens) exceeds the available context size (8000 tokens), try increasing it": (9000, 8000),
    "prompt is too long: 9000 tokens > 8000 maximum": (9000, 8000),
    "This model's maximum prompt length is 8000 but the request contains 9000 tokens.": (9000, 8000),
    "The input (9000 tokens) is longer than the model's context length (8000 tokens).": (9000, 8000),
    "Trying to keep the first 9000 tokens when context the overflows. However, the model is loaded with context length "
    "of only 8000 tokens, which is not enough.": (9000, 8000),
    "tokens to keep from the initial prompt is greater than the context length (n_keep: 9000>= n_ctx: 8000)": (
        9000,
        8000,
    ),
    "prompt token count of 9000 exceeds the limit of 8000": (9000, 8000),
    "The input token count (9000) exceeds the maximum number of tokens allowed (8000).": (9000, 8000),
    "Input length (9000) exceeds the maximum allowed length (8000)": (9000, 8000),
    "The decoder prompt (length 9000) is longer than the maximum model length of 8000.": (9000, 8000),
    "Your request exceeded model token limit: 8000 (requested: 9000)": (9000, 8000),
    "Prompt contains 9000 tokens and 0 draft tokens, too large for model with 8000 maximum context length": (
        9000,
        8000,
    ),
    "prompt has 9,000 tokens, but the configured context size is 8,000 tokens": (9000, 8000),
    "You passed 9000 input tokens and requested 100 output tokens. However, the model's context length is only 8000 "
    "tokens, resulting in a maximum input length of 7900 tokens.": (9000, 8000),
    "`inputs` must have less than 8000 tokens. Given: 9000": (9000, 8000),
    "This model's maximum context length is 8000 tokens. However, you requested 9100 tokens (9000 in the messages, 100 "
    "in the completion).": (9000, 8000),
    "This endpoint's maximum context length is 8000 tokens. However, you requested about 9100 tokens (8500 of text "
    "input, 500 of tool input, 100 in the output).": (9000, 8000),
    "The sequence length 9000 exceeds max_seq_len 8000": (9000, 8000),
    "prompt (9000 tokens) exceeds max_num_tokens (8000)": (9000, 8000),
    "current length is 9000 while max_input_len is 8000": (9000, 8000),
    "Context window exceeded: 9000/8000 tokens": (9000, 8000),
    "n_prompt_tokens 9000 >= n_ctx 8000": (9000, 8000),
    "Input to the model is too long. The model supports at most 8000 tokens but received 9000.": (9000, 8000),
    "Unable to submit request because the input token count is 9000 but model only supports up to 8000.": (9000, 8000),
    "Requested 9000 tokens which exceeds the model's context of 8000": (9000, 8000),
    "length of prompt_tokens (9000) must be less than max_seq_len (8000).": (9000, 8000),
    "A maximum of 8000 tokens is allowed, but 9000 were provided.": (9000, 8000),
    "the message is too long: 9000 tokens, max 8000": (9000, 8000),
    "The input is 9000 tokens, over the 8000-token limit for this model.": (9000, 8000),
    "Not enough context left: prompt uses 9000 of 8000 tokens.": (9000, 8000),
    "Le contexte maximal du modèle est de 8 000 tokens, mais la requête contient 9 000 tokens.": (9000, 8000),
    "Kontextlänge überschritten: Der Prompt hat 9.000 Tokens, das Maximum sind 8.000 Tokens": (9000, 8000),
    "Your prompt is too long: it has about 9k tokens, and the model's context window is 8k tokens.": (9000, 8000),
    "入力トークン数がモデルの最大コンテキスト長を超えています 9000 > 8000": (9000, 8000),
    "上下文长度超过限制 当前 9000 最大 8000": (9000, 8000),
    "number of input tokens (9000) has exceeded max_prompt_tokens (8000) limit.": (9000, 8000),
    "This model's maximum context length is 8000 tokens. However, your messages resulted in 9000 tokens (7500 in the "
    "messages, 1500 in the functions).": (9000, 8000),
    "Exceed max context length: input 9000, max 8000": (9000, 8000),
    "prompt token length 9000 is bigger than context 8000": (9000, 8000),
}
"""Sentences, and the numbers in them: the prompt's and the window's."""

NO_ROOM = {
    "This model's maximum context length is 8000 tokens. However, you requested 6000 output tokens and your prompt "
    "contains at least 3000 input tokens, for a total of at least 9000 tokens.": (3000, 6000, 8000),
    "'max_tokens' or 'max_completion_tokens' is too large: 6000. This model's maximum context length is 8000 tokens "
    "and your request has 3000 input tokens (6000 > 8000 - 3000).": (3000, 6000, 8000),
    "Requested token count exceeds the model's maximum context length of 8000 tokens. You requested a total of 9000 "
    "tokens: 3000 tokens from the input messages and 6000 tokens for the completion.": (3000, 6000, 8000),
    "This model's maximum context length is 8000 tokens, however you requested 9000 tokens (3000 in your prompt; 6000 "
    "for the completion).": (3000, 6000, 8000),
    "`inputs` tokens + `max_new_tokens` must be <= 8000. Given: 3000 `inputs` tokens and 6000 `max_new_tokens`": (
        *(3000, 6000),
        8000,
    ),
    "input length and `max_tokens` exceed context limit: 3000 + 6000 > 8000, decrease them": (3000, 6000, 8000),
    "max_tokens 6000 + prompt 3000 exceeds context 8000": (3000, 6000, 8000),
    "prompt_tokens=3000 completion_tokens=6000 context_length=8000: does not fit": (3000, 6000, 8000),
    "You requested 6000 completion tokens with 3000 prompt tokens, but this model's context is 8000.": (
        *(3000, 6000),
        8000,
    ),
}
"""Sentences about a prompt that fits alone, and their numbers."""

WITHOUT = (
    "Context size has been exceeded.",
    "Your input exceeds the context window of this model.",
    "the request exceeds the available context size, try increasing it",
    "Input is too long for requested model.",
    "Please reduce the length of the messages or completion.",
    "invalid params, context window exceeds limit (2013)",
    "The input token count exceeds the maximum number of tokens allowed 1048576.",
    "Range of input length should be [1, 98304]",
    "Prompt exceeds max length",
    "prompt too long; exceeded max context length by 4321 tokens",
    "tokens in request more than max tokens allowed",
    "Your request exceeded model token limit: 262144",
    "Context window exceeded (107% of 131072 tokens used)",
    "输入内容过长 最大支持 32768 tokens",
    "Malformed input request: the prompt tokens too long",
    "The conversation is too long. Please start a new chat.",
    "Превышена максимальная длина контекста",
    "Запрос слишком длинный",
    "Il prompt supera la lunghezza massima del contesto",
    "Yêu cầu vượt quá độ dài ngữ cảnh tối đa của mô hình",
    "对话内容太长 超出模型支持的最大长度",
    "messages 总长度超过模型限制",
    "CONTENT_LENGTH_EXCEEDS_THRESHOLD",
)
"""Sentences without both numbers."""

OTHERS = (
    "Too many tokens, please wait before trying again.",
    "Rate limit reached: limit of 30000 tokens per minute exceeded.",
    "Request exceeds the tokens per day quota of 100000.",
    "Invalid 'input[2].call_id': string too long. Expected a string with maximum length 64.",
    "Input image exceeds the limit of 20 MB.",
    "Tool argument validation failed: input length exceeds 1000 characters",
    "The server had an error processing your request. Sorry about that! Exceeded maximum number of retries.",
    "Token usage limit exceeded for the last 60 seconds: 1200000 of 1000000 input tokens used",
    "You do not have permission to use this model's long context window.",
    "context deadline exceeded",
    "Invalid schema for function 'Bash': In context=('properties', 'x'), 'additionalProperties' is required.",
    "Invalid 'tools': array too long. Expected an array with maximum length 128, but got an array with length 200.",
    "The request exceeds the maximum of 64 tools",
    "Unable to create CUDA context",
    "Daily token limit exceeded (1000000/1000000)",
    "您的账户每日 tokens 用量超过限制",
)
"""Sentences that are about something else."""


@pytest.mark.parametrize("status", [None, 400, 413, 422, 500])
@cases(("sentence", "numbers"), TOO_LONG.items())
def test_a_prompt_that_is_too_long(sentence: str, numbers: tuple[int, int], status: int | None) -> None:
    """With the upstream's own numbers, whatever the status: clients compact on these words alone."""
    failure = failure_of({"error": {"message": sentence}}, status=status, plan=PLAN)

    assert (failure.kind, failure.cause, failure.message) == (Kind.INVALID_REQUEST, OVERFLOW, too_long(*numbers))


@pytest.mark.parametrize(("sentence", "numbers"), NO_ROOM.items())
def test_no_room_for_the_answer(sentence: str, numbers: tuple[int, int, int]) -> None:
    """The client asks for less: not below our own estimate, so that one step is enough."""
    larger = AnswerPlan("msg_1", "claude-x", "gpt-x", input_tokens=3500)
    absurd = AnswerPlan("msg_1", "claude-x", "gpt-x", input_tokens=8001)

    assert failure_of({"message": sentence}, status=400, plan=PLAN).message == no_room(*numbers)
    assert failure_of({"message": sentence}, status=400).message == no_room(*numbers)
    assert failure_of({"message": sentence}, status=400, plan=larger).message == no_room(3500, *numbers[1:])
    assert failure_of({"message": sentence}, status=400, plan=absurd).message == no_room(*numbers)


@cases("sentence", WITHOUT)
def test_numbers_are_never_made_up(sentence: str) -> None:
    """Where the upstream tells none, its words stand instead."""
    failure = failure_of({"error": sentence}, status=400, plan=PLAN)

    assert (failure.cause, failure.message) == (OVERFLOW, f"prompt is too long: {sentence}")


def test_numbers_in_fields_of_their_own() -> None:
    """llama.cpp tells them beside the sentence."""
    error = {"message": "It exceeds the available context size.", "code": 400}
    llama_cpp, others = {"n_prompt_tokens": 9000, "n_ctx": 8000}, {"requestedTokens": "9000", "context-length": "8000"}

    assert failure_of({"error": error | llama_cpp}, status=400).message == too_long(9000, 8000)
    assert failure_of({"error": error | {"details": others}}, status=400).message == too_long(9000, 8000)


@pytest.mark.parametrize(
    "code",
    [
        "context_length_exceeded",
        "exceed_context_size_error",
        "ContextWindowExceededError",
        "tokens_limit_reached",
        "invalid_request.context_length",
        "request_too_long",
        "ERR_CONTEXT_LENGTH",
    ],
)
def test_a_code_says_it_alone(code: str) -> None:
    """Whatever the sentence says, or without one."""
    assert failure_of({"type": code}).message == "prompt is too long"
    assert failure_of({"code": code, "message": "No."}, status=500).cause == OVERFLOW


@cases("sentence", OTHERS)
def test_what_is_no_overflow(sentence: str) -> None:
    """Rates, pictures and characters have limits, too."""
    assert not certainly_overflow(sentence)
    assert not likely_overflow(sentence)
    assert all(failure_of({"message": sentence}, status=status, plan=PLAN).cause != OVERFLOW for status in (400, 500))


def test_a_sum_that_is_told_alone() -> None:
    """What fits without the answer that was asked for is a sum with it."""
    sentence = "This model's maximum context length is 65536 tokens. However, you requested 76300 tokens."

    assert failure_of({"message": sentence}, status=400, plan=PLAN).message == no_room(44_300, 32_000, 65_536)
    assert failure_of({"message": sentence}, status=400).message == too_long(76_300, 65_536)


@pytest.mark.parametrize(
    ("sentence", "asked"),
    [
        (
            "Invalid 'max_output_tokens': above maximum value. Expected a value <= 8000, but got 200000 instead.",
            200_000,
        ),
        ("max_tokens is too large: 200000. This model supports at most 8000 completion tokens", 200_000),
        ("max_tokens (200000) exceeds the maximum allowed (8000)", 200_000),
        ("`max_tokens` must be less than or equal to `8000`, the maximum for this `context_window`", 32_000),
        ("Invalid max_tokens value, the valid range of max_tokens is [1, 8000]", 32_000),
        ("max_tokens must be less than or equal to 8000, got 32000", 32_000),
        ("The max_tokens value (200000) exceeds the model's maximum output tokens (8000)", 200_000),
        ("The maximum tokens you requested exceeds the model limit of 8000.", 32_000),
        ("参数 max_tokens 超出范围 最大值为 8000", 32_000),
    ],
)
def test_an_answer_that_may_not_be_so_long(sentence: str, asked: int) -> None:
    """Claude Code lowers its limit on this sentence; the number that was asked for is known here."""
    told = failure_of({"message": sentence, "type": "invalid_request_error"}, status=400, plan=PLAN).message

    assert told == f"max_tokens: {asked} > 8000, which is the maximum allowed number of output tokens for this model"


def test_a_limit_that_is_not_exceeded_says_nothing() -> None:
    """A number that is too small is no number that is too large."""
    assert output_message("max_output_tokens: Expected a value >= 16, but got 1 instead.", PLAN) is None
