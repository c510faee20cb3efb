"""What an upstream refuses of a request, and how the same request is made without it.

A server that knows less than the whole API says 400 to fields that the client never asked for: they were added here,
for the cache, for the safety of its account, to get reasoning back.  What is done without one is a change of the
`Profile`; so what was learnt from a refusal is a profile, and a setting can say the same for good.

Two ways lead from a refusal to a remedy: the place that it names or spells (a field of `refused_fields`, an item of
the input, a tool), and its words about a field, or about a model's chat template (`chat_templates`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import attrs

from stages.canonical.failure import Failure, Kind
from stages.canonical.request import JsonObject
from stages.tables.chat_templates import lacking
from stages.tables.models import MODEL_EFFORTS
from stages.tables.profiles import SPELLINGS, Profile
from stages.tables.refused_fields import EFFORT, REFUSED_FIELDS, Field

Value = bool | str
"""What a field of a profile may be changed to."""


@attrs.frozen
class Remedy:
    """A way to make a request once more.

    Attributes:
        name: what is left out or said otherwise, for logs and the mapping header.
        changes: the fields of the profile that do it.
        lasting: whether the upstream will refuse it again, so that it is worth remembering.
    """

    name: str
    changes: Mapping[str, Value]
    lasting: bool = True


_REFUSES = re.compile(
    r"unknown|unrecogni[sz]ed|unexpected|support|permitted|allowed|extra|additional propert|invalid|verif|"
    r"available|recogni[sz]ed|no such|cannot|n't |not |should be|forbidden|expected|"
    r"inconnu|unbekannt|desconocid|不支持|未知|无效",
    re.IGNORECASE,
)
_UNKNOWN = re.compile(
    r"unsupported|unknown|unrecogni[sz]ed|unexpected|not supported|n't support|not support|extra|not permitted|"
    r"additional propert|(not|n't) (accept|take|allow|recogni[sz]e)|not allowed|only the default|(not|n't) available|"
    r"no such|\bonly ['\"`]?\w{1,20}['\"`]? tools|invalid (parameter|argument|field|key)\b|deprecated|"
    r"(not|n't) be (set|used)|"
    r"inconnu|unbekannt|desconocid|不支持|未知",
    re.IGNORECASE,
)
_LISTS = re.compile(
    r"(?:values|should be|one of|expected|accepts?|must be|supports?|supported|allowed)\b(?=(?P<rest>[^\n]{0,300}))",
    re.IGNORECASE,
)
_ITEM = re.compile(
    r"\binput\[(\d{1,6})\]|\binput\.(?:[^.\d]{1,200}\.)?(\d{1,6})\b|'input', (?:'[^']{0,9000}', )?(\d{1,6})\b"
)
_SEAL = re.compile(
    r"encrypted content .{0,400} could not be|Item (with id )?'rs_|without its required following item", re.IGNORECASE
)
# The sentences of an upstream that will not take back a reasoning item; they come without a code.
_REASONING = re.compile(
    r"\brs_\w|encrypted[ _]content|reasoning[ _](items?|content|text|type|blocks?)|['\"`]reasoning['\"`]|"
    r"type:? ?['\"`]?reasoning|reasoningitem",
    re.IGNORECASE,
)
_ASSISTANT = re.compile(
    r"output_text|ResponseOutputMessage|EasyInputMessage|determine type of|(content|message) part|part type|"
    r"annotations|assistant (message|content|text)|valid string|missing field",
    re.IGNORECASE,
)
_PLACES = re.compile(r"\b[a-z_]{2,40}(?:\[\d{1,6}\]|\.\w{1,60}){1,12}")
_TOOL = re.compile(r"\btools(?:\[|\.(?:[^.\d]{1,200}\.)?)(\d{1,6})\b|'tools', (\d{1,6})\b")
_FOREIGN_TOOL = re.compile(
    r"tool.?types?\b|types? of tools?|(only|other than) ['\"`]?function|\.type\b|function['\"`]? (is|tools)|"
    r"web_search|code_interpreter|['\"`]mcp['\"`]",
    re.IGNORECASE,
)
_ONLY_STREAMS = re.compile(
    r"\bstream\b['\"`]?[^\n]{0,30} be (set to )?['\"`]?true|stream ?= ?true|only (supports? )?(the )?stream|"
    r"(requires?|enable|use) (the )?['\"`]?stream|non-?stream\w{0,4}\b[^\n]{0,40}not (be )?(support|allow|avail)|"
    r"streaming (mode )?is (required|mandatory)|[只仅]支持流式|不支持非流式",
    re.IGNORECASE,
)
_NEVER_STREAMS = re.compile(
    r"(?<![\w.-])stream(ing)?\b['\"`]?[^\n]{0,60}(not|n't) (be )?(support|allow|avail|enabled|permit)|"
    r"verified to stream|(not|n't) (support|allow) (response |sse )?stream|"
    r"unsupported[^\n]{0,40}(?<![\w.-])stream(ing)?\b|"
    r"\bstream['\"`]? (must|should) be (set to )?['\"`]?false|不支持流式",
    re.IGNORECASE,
)
_SEARCHED = 2_000
_HEALED = frozenset({Kind.INVALID_REQUEST, Kind.PERMISSION})
# An organisation that is not verified may not have what it did not ask for.
_NOT_HEALED = frozenset({"context_length_exceeded"})


def is_about_reasoning(sentence: str) -> bool:
    """Whether a sentence says that a reasoning item is not taken back, in words that mean nothing else."""
    return _SEAL.search(sentence) is not None


def remedies(failure: Failure, sent: Mapping[str, Any], profile: Profile) -> Iterator[Remedy]:
    """The ways to make a refused request once more, the likeliest first; none where it is refused for something else.

    Args:
        failure: the refusal.
        sent: the request that was refused.
        profile: what it was made for.
    """
    if failure.kind not in _HEALED or failure.cause in _NOT_HEALED:
        return
    sentence = failure.spoken or failure.message
    items = [item for item in sent.get("input", ()) if isinstance(item, dict)]
    thinks = any(item.get("type") == "reasoning" for item in items)
    if failure.cause == "invalid_encrypted_content" or is_about_reasoning(sentence):
        yield _without_reasoning(lasting=False)  # a seal or an order that is wrong now, and need not be next time
        return
    yield from _for_stream(sentence[:_SEARCHED], streamed=bool(sent.get("stream")))
    yield from _for_fields(failure.places, sentence, certain=True)
    yield from _for_fields([found[0] for found in _PLACES.finditer(sentence[:_SEARCHED])], sentence, certain=False)
    yield from _for_item((*failure.places, sentence), items, profile)
    yield from _for_tool((*failure.places, sentence), sent.get("tools", ()))
    for name in lacking(sentence[:_SEARCHED]):
        yield Remedy(name, {name: False})
    for field in REFUSED_FIELDS:
        if field.is_named_in(sentence):
            yield from _without(field, sentence, certain=False)
    if thinks and _REASONING.search(sentence):
        yield _without_reasoning(lasting=True)
    if any(item.get("role") == "assistant" for item in items) and _ASSISTANT.search(sentence):
        yield from _spelt_otherwise(profile)


def _for_stream(sentence: str, *, streamed: bool) -> Iterator[Remedy]:
    """Ask for a whole answer instead of a stream, or for a stream instead of a whole answer."""
    if streamed and _NEVER_STREAMS.search(sentence):
        yield Remedy("stream", {"streams": False})
    elif not streamed and _ONLY_STREAMS.search(sentence):
        yield Remedy("stream", {"always_stream": True})


def _for_fields(places: Sequence[str], sentence: str, *, certain: bool) -> Iterator[Remedy]:
    """Leave out the fields that stand at these places."""
    for field in REFUSED_FIELDS:
        if any(field.is_at(place) for place in places):
            yield from _without(field, sentence, certain=certain)


def _without_reasoning(*, lasting: bool) -> Remedy:
    return Remedy("reasoning", {"reasoning_replay": "none"}, lasting)


def _without(field: Field, sentence: str, *, certain: bool) -> Iterator[Remedy]:
    """Leave a field out, or, where the upstream lists the efforts that it knows, say one of those."""
    if field is EFFORT and (known := _efforts_in(sentence)):
        yield Remedy(field.name, {"efforts": known})
    if (_UNKNOWN if field.wished else _REFUSES).search(sentence) or (certain and not field.wished):
        yield Remedy(field.name, {field.change: False})


def _efforts_in(sentence: str) -> str:
    """The efforts that a sentence says are known, with commas between; the list stands last in it."""
    lists = [set(re.findall(r"\w+", found["rest"].lower())) for found in _LISTS.finditer(sentence[:_SEARCHED])]
    known = next(
        (listed.intersection(MODEL_EFFORTS) for listed in reversed(lists) if not listed.isdisjoint(MODEL_EFFORTS)), ()
    )
    return ",".join(effort for effort in MODEL_EFFORTS if effort in known)


def _for_item(told: tuple[str, ...], items: list[dict[str, Any]], profile: Profile) -> Iterator[Remedy]:
    """Say otherwise, or not at all, what stands at the place that a refusal points at, by its name or in words."""
    for text in told:
        found = _ITEM.search(text)
        at = int(next(filter(None, found.groups()))) if found else len(items)
        item = items[at] if at < len(items) else {}
        if lacks := _ITEMS.get(str(item.get("type"))):
            yield Remedy(lacks, {lacks: False})
        elif item.get("type") == "reasoning":
            yield _without_reasoning(lasting=True)
        elif item.get("role") == "assistant":
            yield from _spelt_otherwise(profile)
        elif item.get("role") == "developer" and re.search(r"\brole\b|developer", f"{text} {told[-1]}"):
            yield Remedy("developer", {"developer_role": False})


def _for_tool(told: tuple[str, ...], tools: Sequence[JsonObject]) -> Iterator[Remedy]:
    """Leave out the tools that a server is to run itself, where it points at one, or speaks of such in words."""
    named = [int(next(filter(None, found.groups()))) for text in told for found in [_TOOL.search(text)] if found]
    kinds = [str(tools[at].get("type")) for at in named if at < len(tools)]
    refused = _FOREIGN_TOOL.search(told[-1]) or any(place.endswith("type") for place in told[:-1])
    if not named and refused and _UNKNOWN.search(told[-1]):
        kinds = [str(tool.get("type")) for tool in tools]
    for kind in dict.fromkeys(kinds if refused else ()):
        if kind not in ("function", "custom"):
            yield Remedy(kind, {"tool_search" if kind == "tool_search" else "hosted": False})


_ITEMS = {
    "additional_tools": "additional_tools",
    "configuration_update": "configuration_updates",
    "tool_search_call": "tool_search",
    "tool_search_output": "tool_search",
}
"""Items that only some models take, and the field of the profile that lacks them."""


def _spelt_otherwise(profile: Profile) -> Iterator[Remedy]:
    """Spell the texts of the assistant in the ways that follow the present one."""
    at = SPELLINGS.index(profile.assistant_text)
    for spelling in (*SPELLINGS[at + 1 :], *SPELLINGS[:at]):
        yield Remedy("assistant_text", {"assistant_text": spelling})
