"""What clients heal by themselves, if they are told in Anthropic's words."""

from __future__ import annotations

import re
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import pytest

from stages.canonical.failure import Kind
from stages.canonical.plan import AnswerPlan
from stages.tables import cures, error_shapes, errors, overflows, refusals, token_counts, waits
from stages.tables.cures import CURES, PICTURE_CODES
from stages.tables.errors import failure_of
from tests.support.cases import cases

LATE = AnswerPlan("msg_1", "claude-x", "gpt-x", late_system=True)
EARLY = AnswerPlan("msg_1", "claude-x", "gpt-x")

PICTURES = [
    "Invalid image.",
    "image input is not supported - hint: if this is unexpected, you may need to provide the mmproj",
    "this model does not support image input",
    "Model does not support images. Please use a model that does.",
    "gpt-x is not a multimodal model",
    "No endpoints found that support image input",
    "At most 0 image(s) may be provided in one request.",
    "Failed to load image or audio file",
    "cannot identify image file <_io.BytesIO object>",
    "unknown variant `image_url`, expected `text`",
    "The image data you provided does not represent a valid image.",
    "Unsupported image media type: image/tiff",
    "Input image exceeds the limit of 20 MB.",
    "Unable to process input image. Please retry",
    "This model does not have vision enabled",
    "The image is empty or truncated; image is missing data",
    "content type should be 'text', image_url was given",
    "Error processing image: broken stream",
    "图片无法读取",
    "The image length and width do not meet the model restrictions.",
    "height:1 or width:1 must be larger than 10",
    "This model only supports text input",
    "You have provided 21 images but the maximum is 20",
    "illegal image data",
    "El modelo no admite imágenes",
    "Das Modell unterstützt keine Bilder",
    "このモデルは画像入力をサポートしていません",
]
DOCUMENTS = [
    "The file 'page.pdf' could not be processed.",
    "'input_file' is not supported by this server",
    "Unable to parse PDF: it is encrypted",
    "Invalid file data: expected a base64-encoded data URL",
    "Unsupported file type: application/pdf",
    "This model doesn't support documents",
    "The PDF has no pages.",
    "文件解析失败",
    "No text could be extracted from document",
    "Der Anhang (PDF) konnte nicht gelesen werden",
]
LATE_SYSTEM = [
    "System message must be at the beginning.",
    "Chat template error: System message must be at the beginning.",
    "Only the first message can be a system message",
    "System messages should only appear at the start of the conversation",
    "Unexpected role 'system' after role 'user'",
    "Conversation roles must alternate user/assistant/user/assistant/...",
    "messages.2: role 'system' must precede an 'assistant' message",
    "System role not supported",
    "developer messages must come before all others",
    "Only user and assistant roles are supported after the first message",
    "Unexpected message role: system",
    "multiple developer messages are not allowed",
    "A 'system' message is only allowed at position 0",
    "Messages with role 'system' can only be the first message",
    "Invalid role in messages[1]: system",
    "Expected last role User or Tool for serving but got system",
    "system消息必须在最前面",
]
POLICIES = [
    "Your prompt was flagged as potentially violating our usage policy.",
    "The response was filtered due to the prompt triggering Azure OpenAI's content management policy.",
    "Content Exists Risk",
    "The request was rejected because it was considered high risk",
    "Input data may contain inappropriate content.",
    "Your request was rejected by our safety system.",
    "The prompt was flagged by moderation.",
    "Input was flagged.",
    "harmful content detected in the input",
    "Model response blocked: SAFETY",
    "This request was stopped for potentially high-risk cyber activity",
    "Detected a jailbreak attempt in the prompt",
    "Requête bloquée par la politique de contenu",
]
RATES = [
    ("Rate limit exceeded", None),
    ("Too many requests, slow down. Retry after 17 seconds.", 17),
    ("Throttled, request again later.", None),
    ("Requests per minute exceeded, please wait 2 minutes and 5 seconds", 125),
    ("You have hit the TPM limit; try again in 1m26.4s", 87),
    ("当前请求过多", None),
    ("当前模型请求速率超限", None),
    ("API requests too frequent", None),
    ("Quota exceeded for metric: requests. retry_delay {\n  seconds: 37\n}", 37),
    ("The usage limit has been reached. Try again in 2 hours", 7200),
    ("Trop de requêtes", None),
]
BILLS = [
    "insufficient balance",
    "Insufficient credits. Add more",
    "余额不足",
    "预扣费额度失败 用户剩余额度: $0.12",
    "Your credit balance is too low",
    "402 Payment Required",
    "Your account is not active, please check your billing details.",
]


@pytest.mark.parametrize("status", [None, 400, 422, 500])
@pytest.mark.parametrize(
    ("sentences", "words"), [(PICTURES, "Could not process image: "), (DOCUMENTS, "Could not process PDF: ")]
)
def test_what_cannot_be_read(sentences: list[str], words: str, status: int | None) -> None:
    """The client takes it out of the conversation on these words, and a person reads the upstream's behind them."""
    for sentence in sentences:
        failure = failure_of({"error": {"message": sentence, "type": "server_error"}}, status=status)

        assert (failure.kind, failure.message) == (Kind.INVALID_REQUEST, words + sentence)


@cases("code", sorted(PICTURE_CODES))
def test_codes_of_pictures(code: str) -> None:
    """With any sentence."""
    assert failure_of({"code": code, "message": "No."}, status=400).message == "Could not process image: No."


@pytest.mark.parametrize("status", [None, 400, 500])
@cases("sentence", LATE_SYSTEM)
def test_late_system_messages(sentence: str, status: int | None) -> None:
    """The client sends them another way when it hears just this; where none is late, it hears what was said."""
    told = failure_of({"error": {"message": sentence}}, status=status, plan=LATE)

    assert (told.kind, told.message) == (Kind.INVALID_REQUEST, "capability_rejected: mid_conv_system")
    assert failure_of({"error": {"message": sentence}}, status=status, plan=EARLY).message == sentence


@cases("status", [None, 400, 403, 500])
@cases("sentence", POLICIES)
def test_policies(sentence: str, status: int | None) -> None:
    """One request, not six: the type says it."""
    failure = failure_of({"error": {"message": sentence, "code": None}}, status=status)

    assert (failure.kind.status, failure.kind.error_type, failure.kind.should_retry) == (400, "policy_blocked", False)
    assert failure.message == sentence


@cases("status", [None, 400, 403, 500])
@cases(
    "code", ["moderation_blocked", "GuardrailIntervened", "cyber_policy_violation", "content_blocked", "unsafe_content"]
)
def test_codes_of_policies(code: str, status: int | None) -> None:
    """By what stands in them."""
    assert failure_of({"code": code, "message": "No."}, status=status).kind is Kind.POLICY


@cases("status", [None, 200, 400, 403, 429, 500, 503])
@cases(("sentence", "wait"), RATES)
def test_rates_with_any_status(sentence: str, wait: int | None, status: int | None) -> None:
    """Waiting helps, and for how long is read from the words."""
    failure = failure_of({"error": {"message": sentence}}, status=status)

    assert (failure.kind, failure.retry_after) == (Kind.RATE_LIMIT, wait or 5)


@cases("status", [None, 400, 401, 402, 403, 429, 500])
@cases("sentence", BILLS)
def test_bills(sentence: str, status: int | None) -> None:
    """Nobody waits for money."""
    assert failure_of({"error": {"message": sentence}}, status=status).kind is Kind.BILLING


@cases(
    "message",
    ["API key not valid. Please pass a valid API key.", "Invalid API key", "Authentication Fails (no such user)"],
)
@cases("status", [400, 401, 403, 500])
def test_keys(message: str, status: int) -> None:
    """Whatever the status: no client should send it ten times."""
    assert failure_of({"error": {"message": message}}, status=status).kind is Kind.AUTHENTICATION


@pytest.mark.parametrize(
    "message",
    [
        "The engine is currently overloaded",
        "Model is busy",
        "Loading model",
        "No available capacity",
        "当前模型负载过高",
    ],
)
def test_no_capacity(message: str) -> None:
    """A 500 that says so is one."""
    assert failure_of({"error": message}, status=500).kind is Kind.OVERLOADED


@cases(
    ("message", "kind"),
    [
        ("Unknown parameter: 'include'.", Kind.INVALID_REQUEST),
        ("Unsupported parameter: 'temperature' is not supported with this model.", Kind.INVALID_REQUEST),
        ("No tool output found for function call call_1.", Kind.INVALID_REQUEST),
        ("Invalid schema for function 'look'", Kind.INVALID_REQUEST),
        ("Invalid token in JSON at position 5", Kind.INVALID_REQUEST),
        ("Missing required parameter: 'input'.", Kind.INVALID_REQUEST),
        ("Invalid value: 'image_generation'. Supported values are: 'function'.", Kind.INVALID_REQUEST),
        ("image generation is not enabled", Kind.INVALID_REQUEST),
        ("Unknown parameter: 'moderation'.", Kind.INVALID_REQUEST),
        ("The guardrailConfig parameter is invalid", Kind.INVALID_REQUEST),
        ("Reasoning effort for model gpt-x is not supported", Kind.INVALID_REQUEST),
        ("Summaries with this model are not supported: the model is not supported there", Kind.INVALID_REQUEST),
        ("The system failed to start after an order", Kind.INVALID_REQUEST),
        ("The retention policy of your organization forbids `store`", Kind.INVALID_REQUEST),
    ],
)
def test_what_is_none_of_these(message: str, kind: Kind) -> None:
    """Its words go on as they stand."""
    failure = failure_of({"error": {"message": message, "type": "invalid_request_error"}}, status=400, plan=LATE)

    assert (failure.kind, failure.message) == (kind, message)


@pytest.mark.parametrize(
    "message",
    [
        "too many open files",
        "failed to read file /models/model.gguf",
        "error loading document store",
        "unexpected end of file",
        "The server had an error processing your request. Exceeded maximum number of retries.",
        "context deadline exceeded",
        "The model has crashed without additional information.",
    ],
)
def test_what_is_the_servers_own_fault(message: str) -> None:
    """Nobody takes a document out of a conversation, or makes it shorter, for that."""
    failure = failure_of({"error": {"message": message}}, status=500, plan=LATE)

    assert (failure.kind, failure.message) == (Kind.UPSTREAM, message)


def test_a_status_that_says_something_counts_more_than_words() -> None:
    """An overloaded server may speak of pictures."""
    assert (
        failure_of({"message": "Could not read the image, rate of failures too high"}, status=429).kind
        is Kind.RATE_LIMIT
    )
    assert failure_of({"message": "no image support for this key"}, status=401).kind is Kind.AUTHENTICATION


def patterns(module: ModuleType) -> Iterator[re.Pattern[str]]:
    """All compiled patterns of a module, those that are kept as their own `search` as well."""
    values: list[Any] = list(vars(module).values())
    while values:
        value = values.pop()
        if isinstance(value, re.Pattern):
            yield value
        elif isinstance(getattr(value, "__self__", None), re.Pattern):
            yield value.__self__
        elif isinstance(value, dict):
            values += value.values()
        elif isinstance(value, tuple | list):
            values += [each for each in value if not isinstance(each, str)]
        elif isinstance(value, cures.Cure):
            values.append(value.words)


WIDEST = 10_000


@pytest.mark.parametrize("module", [cures, error_shapes, errors, overflows, refusals, token_counts, waits])
def test_no_pattern_looks_further_than_it_must(module: ModuleType) -> None:
    """Every repetition is bounded, so a text costs its length times a constant, whatever stands in it."""
    found = list(patterns(module))
    wide = [pattern.pattern for pattern in found if re._parser.parse(pattern.pattern).getwidth()[1] > WIDEST]  # type: ignore[attr-defined]

    assert found
    assert not wide


def test_the_rows_are_asked_in_an_order_that_matters() -> None:
    """What clients compact on comes before rates, and a bill before both kinds of patience."""
    kinds = [cure.kind for cure in CURES]

    assert kinds.index(Kind.BILLING) < kinds.index(Kind.QUOTA) < kinds.index(Kind.RATE_LIMIT)
