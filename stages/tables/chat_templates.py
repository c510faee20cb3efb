"""What engines refuse because of a model's chat template, in their words, and what a profile lacks that says so.

A template raises an exception in words that its author chose; engines hand them on, with words of their own around
them.  For the calls of a template an engine makes a grammar of the tools' schemas, which may fail.  A row knows the
words, and names the fields of a `Profile` that may be meant, the likeliest first: each is tried, and what does not
change the request is passed over.

Source: the templates of Qwen, Mistral, Gemma, Llama, Phi and DeepSeek, measured with llama.cpp (b9713 and b11549);
Mistral's own checks, as vLLM hands them on; LM Studio and vLLM as reported.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import attrs


def _words(*alternatives: str) -> Callable[[str], object]:
    """Any of these, in any case. Every repetition is bounded, so a text costs its length and no more."""
    return re.compile("|".join(alternatives), re.IGNORECASE).search


_SYSTEM = "(system|developer)"
_SYSTEM_NAMED = rf"(['\"`]{_SYSTEM}['\"`]|\b{_SYSTEM} (message|prompt|role|turn)s?\b)"
_PLACE = "(first|begin\\w{0,4}|start|top|position|index|order|middle|after|precede|alternate)"
_MUST = "(must|should|can|may|only|has to|needs to)"
_ALTERNATE = (
    r"\broles? (must|should|need to|have to) alternate|must alternate (between )?\W{0,2}user",
    r"consecutive (user|assistant|messages|roles)|(same|identical) role (twice|in a row)|two (user|assistant) messages",
    r"unexpected role:? ['\"`]?(user|assistant)['\"`]? after",
)
_LATE_SYSTEM = (
    rf"{_SYSTEM} (message|prompt|role)s?[^.\n]{{0,40}}{_MUST}[^.\n]{{0,30}}(begin|start|first|before)",
    rf"(only|first)[^.\n]{{0,40}}(message|one)[^.\n]{{0,30}}{_SYSTEM}",
    rf"{_SYSTEM_NAMED}[^\n]{{0,60}}\b{_PLACE}\b|\b{_PLACE}\b[^\n]{{0,60}}{_SYSTEM_NAMED}",
    rf"invalid (message )?role[^\n]{{0,40}}{_SYSTEM}|but got {_SYSTEM}\b|system[^\n]{{0,10}}(必须|只能)",
    rf"unexpected (message )?role:? ['\"`]?{_SYSTEM}",
    rf"{_SYSTEM}['\"`]? (must precede|is only (allowed|supported))",
    rf"multiple {_SYSTEM} (messages|prompts)|{_SYSTEM} (messages? )?(in the middle|after)",
    rf"{_SYSTEM} (message|role)s? [^.\n]{{0,20}}(position|index)|(only|one) {_SYSTEM} message",
    r"roles are supported after the first|with the exception of an initial optional system message",
)
_NO_SYSTEM = (
    rf"{_SYSTEM}['\"`]?( roles?| messages?| prompts?)?( is| are)? not (allowed|supported|permitted|expected)",
    r"(not|n't) support (a |the )?system|(no|without) system (role|prompt|message)s? support",
    r"only user and assistant roles are (supported|allowed)!?(?![^.\n]{0,40}exception)",
    r"only (supports? )?(the )?['\"`]?user['\"`]? and ['\"`]?(assistant|model)['\"`]? roles",
)
_ROLE = (
    r"unexpected message role|(unknown|unsupported|invalid) (message )?role",
    r"only user, (system|assistant),? (and )?(assistant|system)",
)
_ONE_CALL = (
    r"single tool.?calls? at once|(only (one|a single)|at most one|multiple|more than one|parallel) tool.?calls?",
)
_GRAMMAR = (
    r"pars(e|ing) (the )?grammar|initialize samplers|number of repetitions|json schema (conversion|error)",
    r"pattern must start|(not |un)supported by (xgrammar|outlines|guidance)|compile (the )?(json )?(schema|grammar)",
)
_CALL_IDS = (r"tool.?call.?ids?[^\n]{0,80}(length|characters|alphanumeric|a-z)",)


@attrs.frozen
class TemplateRule:
    """A row.

    Attributes:
        words: whether a sentence says it.
        lacks: the fields of a profile that say the same, if they are False.
    """

    words: Callable[[str], object]
    lacks: tuple[str, ...]


TEMPLATE_RULES = (
    TemplateRule(_words(*_ALTERNATE), ("late_system", "role_repeats")),
    TemplateRule(_words(*_LATE_SYSTEM), ("late_system",)),
    TemplateRule(_words(*_NO_SYSTEM), ("late_system", "system_role")),
    TemplateRule(_words(*_ROLE), ("developer_role", "late_system", "system_role")),
    TemplateRule(_words(*_ONE_CALL), ("parallel_history",)),
    TemplateRule(_words(*_CALL_IDS), ("long_call_ids",)),
    TemplateRule(_words(*_GRAMMAR), ("schema_limits",)),
)
"""The rows."""

refuses_system = _words(*_LATE_SYSTEM, *_NO_SYSTEM, *_ALTERNATE)
"""Whether a sentence may mean a system message behind others, which Claude Code sends in another way if it is told."""

_NAMES_A_TEMPLATE = _words(r"\bjinja|chat.?template|prompt.?template|raise_exception|TemplateError")


def is_of_a_template(sentence: str) -> bool:
    """Whether it is about a template: then the request is wrong for the model, whatever status comes with it."""
    return bool(_NAMES_A_TEMPLATE(sentence)) or any(rule.words(sentence) for rule in TEMPLATE_RULES)


def lacking(sentence: str) -> Iterator[str]:
    """The fields of a profile that a refusal's words say are lacking, the likeliest first."""
    for rule in TEMPLATE_RULES:
        if rule.words(sentence):
            yield from rule.lacks
