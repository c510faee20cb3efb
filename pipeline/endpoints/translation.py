"""A request's body becomes whatever is to be done with it: sent, counted, explained.

Pure functions of bytes and a `Question`, so that a large request can be dealt with in another thread or process
(`pipeline/aside.py`).  Each reads the body anew: it is done more than once for the few requests that come near a window
alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any, ParamSpec, TypeVar

import attrs
import msgspec

from pipeline.endpoints.owners import Owner
from pipeline.lessons import with_changes
from pipeline.tokenizer import counter_of
from stages import counter
from stages.canonical.failure import Failure, Kind
from stages.canonical.file_ids import file_ids
from stages.canonical.place import ROOT
from stages.canonical.plan import AnswerPlan
from stages.canonical.report import FAITHFUL, UNFAITHFUL
from stages.canonical.request import Caller, Request
from stages.decoder import MAX_COMPLAINT, decode_request, refusal
from stages.history import edit_history, summary_request
from stages.mapper import Mapped, Target, map_request
from stages.mapper.settings import session_of
from stages.prompt_fingerprint import PromptFingerprint, TooLargeError, fingerprint_of, serialise
from stages.tables.errors import STRICT
from stages.tables.profiles import PROFILES, Profile
from stages.tools.hosted import verdicts
from stages.wire import json

COUNTED = ("model", "input", "instructions", "tools", "tool_choice", "text", "reasoning", "parallel_tool_calls")
"""Fields of a request that the upstream's counting endpoint takes; it refuses all others."""

P = ParamSpec("P")
R = TypeVar("R")
_NAMED = ("model", "prompt_cache_key", "service_tier")


@attrs.frozen
class Question:
    """What a body's translation depends on besides the body.

    Attributes:
        caller: who asks, by the headers.
        target: where it goes.
        message_id: the id that the answer will have.
        counting: whether only a count is asked for, so that less must be said.
        strict: whether the client insists on faithfulness.
        stream: whether the path asks for a stream, whatever the body says.
        learnt: what the upstream was found to refuse, by model: other fields of its profile.
        changes: the same for this request alone, after a refusal.
        limit: the tokens that the answer may have, where the window leaves less than was asked for.
        summary: the client's instructions, maybe none, where a summary of the conversation is asked for in the place of
            an answer; None where it is not.
        owner: whose files may be named, where clients have keys of their own; None: everybody's.
    """

    caller: Caller
    target: Target
    message_id: str
    learnt: Mapping[str, Mapping[str, bool | str]] = attrs.field(factory=dict)
    changes: Mapping[str, bool | str] = attrs.field(factory=dict)
    counting: bool = False
    strict: bool = False
    stream: bool = False
    limit: int | None = None
    summary: str | None = attrs.field(default=None, repr=False)
    owner: Owner | None = None


def without_hosted_tools(question: Question) -> Question:
    """Ask the same where nothing can be run in the middle of an answer."""
    return attrs.evolve(question, target=attrs.evolve(question.target, hosts=False))


@attrs.frozen
class Translated:
    """A request that can be sent.

    Attributes:
        plan: how to read the answer.
        body: what is sent.
        prefix: the fingerprints of what is sent.
        named: the fields of it by which it is accounted for.
        summary: the report, as the mapping header says it.
        outcome: the gravest thing that became of any part.
        unfaithful: how many parts do not mean upstream what the client meant by them.
        session: the client's session; empty where it tells none.
        stream: whether the client wants a stream.
        diagnostics: what the client asks about the cache; None when nothing.
        profile: what it was translated for.
        safeguarded: whether the client wants its calls judged.
    """

    plan: AnswerPlan
    body: bytes = attrs.field(repr=False)
    prefix: PromptFingerprint = attrs.field(repr=False)
    named: Mapping[str, Any] = attrs.field(repr=False)
    summary: str = ""
    outcome: str = FAITHFUL
    unfaithful: int = 0
    session: str = attrs.field(default="", repr=False)
    stream: bool = False
    diagnostics: Any = attrs.field(default=None, repr=False)
    profile: Profile = PROFILES["openai"]
    safeguarded: bool = False


def _bounded(function: Callable[P, R]) -> Callable[P, R | Failure]:
    """Refuse what becomes too large on its way."""

    @wraps(function)
    def bounded(*arguments: P.args, **named: P.kwargs) -> R | Failure:
        try:
            return function(*arguments, **named)
        except TooLargeError:
            return Failure(Kind.TOO_LARGE, "Request exceeds the maximum size once it is translated")

    return bounded


@_bounded
def translate(question: Question, body: bytes) -> Translated | Failure:
    """Read a body, and make of it what is sent."""
    found = _read(question, body)
    if isinstance(found, Failure):
        return found
    request, mapped = found
    said, prefix = serialise(mapped.body)
    return Translated(
        plan=mapped.plan if question.owner is None else attrs.evolve(mapped.plan, sealing=question.owner),
        body=said,
        prefix=prefix,
        named={name: mapped.body[name] for name in _NAMED if name in mapped.body},
        summary=mapped.report.summary(),
        outcome=mapped.report.outcome(),
        session=session_of(request, question.caller),
        unfaithful=sum(note.disposition in UNFAITHFUL for note in mapped.report.notes),
        stream=request.stream,
        diagnostics=request.extra.get("diagnostics"),
        profile=_target(question, request).profile,
        safeguarded=verdicts.asked(request.extra) is not None,
    )


@_bounded
def explained(question: Question, body: bytes) -> tuple[dict[str, Any], PromptFingerprint, Mapping[str, Any]] | Failure:
    """Read a body, and say what would be sent, and what became of each field.

    Returns:
        The explanation, whose fields are JSON already; the fingerprints of what would be sent, and its named fields.
    """
    found = _read(question, body)
    if isinstance(found, Failure):
        return found
    _, mapped = found
    said, prefix = serialise(mapped.body)
    told = {**explanation(mapped), "upstream": msgspec.Raw(said)}
    named = {name: mapped.body[name] for name in _NAMED if name in mapped.body}
    return {name: msgspec.Raw(json.encode(value)) for name, value in told.items()}, prefix, named


def explanation(mapped: Mapped) -> dict[str, Any]:
    """The exact upstream body, its fingerprint as a cache sees it, and the whole report, as JSON."""
    notes = [{"path": note.path, "fate": note.disposition.value, "reason": note.reason} for note in mapped.report.notes]
    cache = {"prefix": fingerprint_of(mapped.body).fingerprint()}
    return {"mapping": mapped.report.summary(), "report": notes, "cache": cache, "upstream": mapped.body}


@_bounded
def countable(question: Question, body: bytes) -> tuple[AnswerPlan, bytes] | Failure:
    """Read a body, and make of it what the upstream counts; of a request for a summary, the conversation alone."""
    found = _read(question, body, summing=False)
    if isinstance(found, Failure):
        return found
    _, mapped = found
    return mapped.plan, serialise({name: mapped.body[name] for name in COUNTED if name in mapped.body})[0]


def count(question: Question, body: bytes, tokens: counter.Tokens) -> tuple[int, int] | Failure:
    """Read a body, and count its tokens: the likely number, and the least that is certain."""
    request = decode_request(body, question.caller, counting=question.counting)
    if isinstance(request, Failure):
        return request
    request = edit_history(request, counter.estimate)
    return counter.prompt_tokens(request, tokens), counter.least(request, tokens)


def count_by(question: Question, body: bytes, source: str) -> tuple[int, int] | Failure:
    """Count with a source that this process has, or loads now, by its name."""
    return count(question, body, counter_of(source))


def cleared(question: Question, body: bytes) -> int | None:
    """Read a body, and estimate the tokens that its own edits take out of it; None where it asks for no edits."""
    request = decode_request(body, question.caller, counting=question.counting)
    if isinstance(request, Failure):
        return None
    edits = edit_history(request, counter.estimate).edits
    return None if edits.applied is None else edits.cleared_tokens


def _read(question: Question, body: bytes, *, summing: bool = True) -> tuple[Request, Mapped] | Failure:
    """Decode and map, unless strict mode asks for what cannot be done faithfully."""
    request = decode_request(body, question.caller, counting=question.counting)
    if isinstance(request, Failure):
        return request
    if (foreign := _foreign_file(question, request)) is not None:
        return foreign
    request = edit_history(request, counter.estimate)
    if not summing and "compaction" in request.extra:
        request = attrs.evolve(request, extra={**request.extra, "compaction": None})
    if question.summary is not None:
        request = summary_request(request, question.summary)
    if question.stream:
        request = attrs.evolve(request, stream=True)
    target = _target(question, request)
    guess = 0 if question.counting else counter.estimate_request(request)
    mapped = map_request(request, question.caller, target, message_id=question.message_id, tokens=guess)
    if mapped.broken and not question.counting:
        return refusal(f"{mapped.broken[0].place}: {mapped.broken[0].reason}")
    if question.limit is not None:
        mapped = _limited(mapped, question.limit)
    note = mapped.report.unfaithful() if question.strict else None
    if note is not None:
        return attrs.evolve(refusal(f"{note.path}: {note.disposition.value}: {note.reason}"), cause=STRICT)
    return request, mapped


def named_model(body: bytes) -> str:
    """Read which model a body asks for, and nothing else; empty where it does not say. It costs the body's length."""
    try:
        return _NAMING.decode(body).model
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return ""


class _Naming(msgspec.Struct):
    model: str = ""


_NAMING = msgspec.json.Decoder(_Naming)


def _foreign_file(question: Question, request: Request) -> Failure | None:
    """Refuse a file that is not the client's in the words for one that does not exist."""
    owner = question.owner
    named = () if owner is None else file_ids(request)
    foreign = next((ident for ident in named if owner is not None and owner.opened(ident) is None), None)
    return None if foreign is None else Failure(Kind.NOT_FOUND, f"File not found: {foreign}"[:MAX_COMPLAINT])


def _limited(mapped: Mapped, limit: int) -> Mapped:
    """Ask for no more than the window leaves, and report it."""
    mapped.report.approximated(ROOT.field("max_tokens"), "the prompt leaves no more of the model's window")
    body = {**mapped.body, "max_output_tokens": limit}
    return attrs.evolve(mapped, body=body, plan=attrs.evolve(mapped.plan, max_output_tokens=limit))


def _target(question: Question, request: Request) -> Target:
    """Where a request goes, as its model was found to be."""
    target = question.target
    learnt = question.learnt.get(target.models.upstream_model(request.model), {}) if question.learnt else {}
    changes = {**learnt, **question.changes}
    return with_changes(target, changes) if changes else target
