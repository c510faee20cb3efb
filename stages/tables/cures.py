"""What clients heal by themselves if they are told in Anthropic's words: what upstreams say, and the words for it.

A row is chosen by a code or by the sentence.  A code counts whatever the status says.  A sentence counts only where it
is certain, and only instead of what a status alone would say: a 500 of a server that does not think about statuses is
no news, a 429 is.  The rows stand in the order in which they are asked.

Source: Claude Code 2.1.332, measured: it takes a picture or a document out of the conversation on "could not process
image" and "could not process pdf", sends late system messages another way on `capability_rejected: mid_conv_system`,
compacts on "prompt is too long", asks for less on "input length and `max_tokens` exceed context limit", lowers its
limit on "max_tokens: N > M", and gives up after one request on the type `policy_blocked`.  Any other 400 it sends six
times.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import attrs

from stages.canonical.failure import Kind
from stages.canonical.plan import AnswerPlan
from stages.tables.chat_templates import is_of_a_template, refuses_system
from stages.tables.error_shapes import ErrorContent
from stages.tables.overflows import (
    CODE_LIKE,
    OVERFLOW,
    certainly_overflow,
    likely_overflow,
    output_message,
    overflow_message,
)
from stages.tables.overflows import CODES as OVERFLOW_CODES

Say = Callable[[str, AnswerPlan | None, ErrorContent], str | None]
"""Says the cure's sentence for an upstream's; None when it is not the one after all."""


def _as_it_stands(sentence: str, _plan: AnswerPlan | None, _told: ErrorContent) -> str:
    return sentence


def _led_by(words: str) -> Say:
    def say(sentence: str, _plan: AnswerPlan | None, _told: ErrorContent) -> str:
        if words.lower() in sentence.lower():
            return sentence
        return f"{words}: {sentence}" if sentence else words

    return say


def _late_system(sentence: str, plan: AnswerPlan | None, _told: ErrorContent) -> str | None:
    """The whole sentence, or the client does not know it; nothing to be healed where no system message is late."""
    return "capability_rejected: mid_conv_system" if plan is None or plan.late_system else sentence


_NEVER = re.compile(r"(?!)").search


@attrs.frozen
class Cure:
    """A row.

    Attributes:
        kind: what it is.
        cause: the `Failure.cause`; empty is the upstream's own code.
        codes: the codes that say it.
        like: whether a code that no table knows says it.
        words: whether a sentence says it.
        instead: the kinds, by status or by a code that says little, that its words correct.
        say: the sentence for the client.
    """

    kind: Kind
    words: Callable[[str], object]
    codes: frozenset[str] = frozenset()
    like: Callable[[str], object] = _NEVER
    cause: str = ""
    instead: frozenset[Kind] = frozenset({Kind.INVALID_REQUEST, Kind.UPSTREAM})
    say: Say = _as_it_stands


def _words(*alternatives: str) -> Callable[[str], object]:
    """Any of these, in any case. Every repetition is bounded, so a text costs its length and no more."""
    return re.compile("|".join(alternatives), re.IGNORECASE).search


_ITSELF = "".join(f"(?<!{word} )(?<!{word} the )" for word in ("with", "for", "by", "on", "in"))
# In front of the thing that is refused itself: what is not supported by a model is something else.
_A_NAME = r"(?!is\b|are\b|does\b|that\b)['\"`]?[\w./:@-]{1,100}['\"`]?"
_ANYBODY = frozenset({Kind.INVALID_REQUEST, Kind.UPSTREAM, Kind.TOO_LARGE, Kind.OVERLOADED})
_REFUSED = (
    r"not (be )?(support|process|read|decod|load|pars|valid|allow|accept|identif|download|represent|enabled|a valid)|"
    r"(not|n't) (have|support|read|process|accept|handle|see|understand)|unsupported|invalid|corrupt|malformed|"
    r"encrypted|password|too (large|small|big|many)|exceed|fail|unable|can(not| not|'t)|could not|no endpoints|"
    r"at most \d|maximum of|unknown|unrecogni[sz]ed|is (not an?|empty|missing|disabled|damaged|truncated)\b|expected|"
    r"should be ['\"`]?(input_)?text|only (text|supports? text|supported)|text.only|illegal|"
    r"the maximum is|not (meet|available)|"
    r"error (processing|reading|decoding|loading|while)|missing data|broken|no (pages|text)|rejected|"
    r"无法|失败|错误|不支持|no admite|no se puede|ne (prend|peut)|non pris|keine\b|nicht\b|"
    r"サポートし|できません|지원하지|не поддерж"
)
_PICTURE = (
    r"\bimages?\b(?![ _](generation|pull))|image_url|input_image|\bpictures?\b|\bvision\b|multi-?modal|mmproj|"
    r"图片|图像|画像|이미지|изображени|\bim[aá]gen(es)?\b|\bbild(er)?\b"
)
_DOCUMENT = r"\bpdfs?\b|\.pdf\b|\bdocuments?\b|input_file|文档"


def _refused(things: str) -> Callable[[str], object]:
    """Words that refuse a thing, near the thing, on either side of it."""
    return _words(rf"(?:{things})[^\n]{{0,80}}?(?:{_REFUSED})|(?:{_REFUSED})[^\n]{{0,60}}?(?:{things})")


_PICTURE_REFUSED, _DOCUMENT_REFUSED = _refused(_PICTURE), _refused(_DOCUMENT)
_TEXT_ALONE = _words(
    r"model only (supports|accepts) text|text.only model|only text (inputs?|contents?) (is|are)|"
    r"\b(height|width)\b[^\n]{0,40}(larger|smaller|greater|less) than \d"
)
# Pictures that nobody names: there is nothing else that is no text, and that is high and wide.
_FILE_REFUSED = _refused(r"\bfiles?\b|file type|文件")


def _is_document(sentence: str) -> bool:
    """A file that nobody calls a picture is a document, and one of the server's own is none of the request's."""
    if _SERVERS_FILE(sentence):
        return False
    if _DOCUMENT_REFUSED(sentence):
        return True
    return bool(_FILE_REFUSED(sentence)) and not _ABOUT_PICTURES(sentence)


_SERVERS_FILE = _words(
    r"open files|end of file|file.?(descriptor|handle|system|lock)|document store|\bfile ['\"]?/",
    r"\.(gguf|safetensors|bin|py)\b",
)
_ABOUT_PICTURES = _words(_PICTURE + r"|\.(png|jpe?g|gif|webp)\b")

PICTURE_CODES = frozenset(
    {
        "invalid_image",
        "invalid_image_format",
        "invalid_base64_image",
        "invalid_image_url",
        "invalid_image_mode",
        "image_too_large",
        "image_too_small",
        "image_file_too_large",
        "image_file_not_found",
        "image_parse_error",
        "unsupported_image_media_type",
        "empty_image_file",
        "failed_to_download_image",
    }
)
"""Codes of pictures that an upstream cannot read."""

CURES = (
    Cure(
        Kind.INVALID_REQUEST, _words(r"max_|maximum tokens you"), say=lambda text, plan, _: output_message(text, plan)
    ),
    Cure(
        Kind.INVALID_REQUEST,
        certainly_overflow,
        codes=OVERFLOW_CODES,
        like=CODE_LIKE,
        cause=OVERFLOW,
        instead=_ANYBODY | {Kind.RATE_LIMIT, Kind.PERMISSION},
        say=overflow_message,
    ),
    Cure(
        Kind.INVALID_REQUEST,
        likely_overflow,
        cause=OVERFLOW,
        instead=_ANYBODY - {Kind.OVERLOADED},
        say=overflow_message,
    ),
    Cure(
        Kind.BILLING,
        _words(
            r"insufficient (account )?(balance|credits?|funds)",
            r"(balance|credits?) (is |are )?(too low|insufficient|exhausted|used up|depleted)",
            r"out of credits?|not enough (balance|credits?)|overdue|arrear|payment required|account is not active",
            r"余额不足|欠费|额度(不足|已?用[尽完]|失败)",
        ),
        instead=_ANYBODY | {Kind.RATE_LIMIT, Kind.PERMISSION, Kind.AUTHENTICATION},
    ),
    Cure(
        Kind.QUOTA,
        _words(
            r"exceeded (your|the) (current |monthly |daily |weekly )?(quota|budget)",
            r"quota (has been |is )?(exhausted|used up)|insufficient.?quota",
            r"(daily|weekly|monthly) (token |usage |request |spending |credit )?limit",
        ),
        instead=_ANYBODY | {Kind.RATE_LIMIT, Kind.PERMISSION},
    ),
    Cure(
        Kind.RATE_LIMIT,
        _words(
            r"rate.?limit|too many (requests|tokens, please)",
            r"(requests|tokens) per (min|sec|day|hour)|\b[TR]P[MD]\b|throttl|slow down",
            r"concurrency limit|too many concurrent|organization concurrency|usage limit|quota exceeded",
            r"resource has been exhausted|requests? (are )?(coming |sent )?(in )?too (quickly|frequent|fast)",
            r"速率|频繁|请求(过|太)多|请求数|并发|リクエストが多すぎ",
            r"trop de requêtes|demasiad[ao]s (solicitudes|peticiones)|zu viele anfragen",
        ),
        instead=_ANYBODY | {Kind.PERMISSION},
    ),
    Cure(
        Kind.AUTHENTICATION,
        _words(
            r"(invalid|incorrect|wrong|missing|no|expired|malformed|unauthori[sz]ed) (x-)?api.?key",
            r"api.?key[^.\n]{0,60}(not valid|invalid|incorrect|expired|missing|required|not provided|revoked|disabled)",
            r"invalid (authentication|bearer|access token|auth token|credentials)",
            r"authentication (failed|fails)|no auth credentials",
        ),
        instead=_ANYBODY | {Kind.PERMISSION},
    ),
    Cure(
        Kind.POLICY,
        _words(
            r"(usage|content|safety|acceptable use)( management)? polic(y|ies)|flagged (as|by|for)",
            r"safety (system|filter|reasons|guidelines)|content.?filter|responsible ai",
            r"content exists risk|considered high.?risk|inappropriate content|prohibited.?content",
            r"guardrails?\b|violat\w{1,12} [^.\n]{0,60}(polic(y|ies)|guidelines|terms)",
            r"(?<!['\"`.])moderation",
            r"(input|prompt|request|content|messages?) (was |were |has been |have been |is )?flagged",
            r"sensitive (content|words?|information)|敏感|违规|harmful content|unsafe content|\bblocked: safety\b",
            r"high.?risk (cyber|bio)|cyber abuse|jailbreak|politique (de|d'utilisation)|inhaltsrichtlinie|política de",
        ),
        like=_words(
            r"moderat|guardrail|safety|jailbreak|sensitive|flagged|unsafe|prohibited.?content",
            r"(content|usage|cyber|bio|misuse|risk|prompt|input).?(polic|block|filter|risk|content)|policy.?violat",
        ),
        instead=_ANYBODY | {Kind.PERMISSION},
    ),
    Cure(
        Kind.INVALID_REQUEST,
        refuses_system,
        cause="chat_template",
        say=_late_system,
    ),
    Cure(
        Kind.INVALID_REQUEST,
        lambda text: not _is_document(text) and (_PICTURE_REFUSED(text) or _TEXT_ALONE(text)),
        codes=PICTURE_CODES,
        like=_words(r"image|picture|vision"),
        instead=_ANYBODY | {Kind.NOT_FOUND},
        say=_led_by("Could not process image"),
    ),
    Cure(
        Kind.INVALID_REQUEST,
        _is_document,
        codes=frozenset(
            {"invalid_file", "invalid_pdf", "unsupported_file", "unsupported_file_type", "invalid_file_format"}
        ),
        like=_words(r"^(?![^\n]{0,100}not.?found)[^\n]{0,60}((?<!pro)file|pdf|document(?!ation))"),
        say=_led_by("Could not process PDF"),
    ),
    Cure(
        Kind.NOT_FOUND,
        _words(
            r"\bmodels?\b[^\n]{0,120}?(not (be )?found|n't exist|not exist)",
            r"\bmodels?\b[^\n]{0,120}?(no longer (available|supported)|decommissioned|retired|deprecated)",
            r"(unknown|no such|invalid|unsupported) model\b|model.?not.?(found|exist)",
            rf"{_ITSELF}\bmodel:? {_A_NAME} (is |was )?(currently )?(not|un) ?(available|supported|loaded|deployed)",
            r"\bmodel (identifier|id|name) is (invalid|unknown)|no models? (is |are )?(loaded|named|called)",
            r"(could|can) ?not find (the )?model|no endpoints found for |no allowed providers|not a valid model",
            r"\b(deployment|inference profile)\b[^\n]{0,120}?(not (be )?found|not exist)",
            r"模型不存在|le modèle [^\n]{0,80}pas",
        ),
        codes=frozenset(
            {"model_not_found", "ModelNotFound", "model_not_available", "model_not_supported", "invalid_model"}
        ),
        instead=frozenset({Kind.INVALID_REQUEST, Kind.NOT_FOUND}),
        say=lambda text, _plan, _told: text if text.startswith("model:") else f"model: {text}",
    ),
    Cure(
        Kind.INVALID_REQUEST,
        _words(
            r"(unknown|unsupported|unrecogni[sz]ed|unexpected|invalid) (parameter|field|argument|property)\b",
            r"(unknown|unsupported|unrecogni[sz]ed|unexpected|invalid) request (parameter|field|argument|property)\b",
            r"extra inputs are not permitted|additional properties are not allowed",
        ),
    ),
    Cure(Kind.INVALID_REQUEST, is_of_a_template, cause="chat_template"),
    Cure(
        Kind.OVERLOADED,
        _words(
            r"overloaded|(at|over|insufficient|no|exceeded)( available)? capacity",
            r"(server|service|engine|system|model) (is |are )?(currently |too |very )?busy",
            r"temporarily unavailable|loading model|model is (currently )?loading|high demand|繁忙|过载|负载过高|饱和",
        ),
        instead=frozenset({Kind.UPSTREAM}),
    ),
)
"""The rows, in the order in which they are asked."""
