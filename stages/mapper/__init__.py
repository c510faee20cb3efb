"""Canonical request becomes Responses request, with a plan of how to read the answer and a report of what changed."""

from __future__ import annotations

from typing import Any

import attrs

from stages.canonical.place import ROOT
from stages.canonical.plan import AnswerPlan, BoundReasoning, ThinkingDisplay
from stages.canonical.report import Note, Report
from stages.canonical.request import Caller, Request
from stages.citing.sources import Sources
from stages.fallbacks import chain
from stages.mapper import field_report, settings, thinking
from stages.mapper.adaptation import adapt
from stages.mapper.breakpoints import CacheBreakpoints
from stages.mapper.conversation import Conversation, instructions
from stages.mapper.formats import format_asked, output_format
from stages.mapper.promises import broken_promises
from stages.mapper.reasoning import ReasoningReplay
from stages.mapper.server_tools import DeclaredServerTools
from stages.mapper.source_parts import LATER, STRUCTURED, note_pages
from stages.mapper.summarising import ask_for_summary, changes_summed_up, summarised
from stages.mapper.tool_choice import tool_choice
from stages.mapper.tools import Toolbox, toolbox
from stages.mapper.warming import warm
from stages.tables import models
from stages.tables.model_registry import ModelRegistry
from stages.tables.models import Model
from stages.tables.profiles import PROFILES, Profile
from stages.tools.hosted import HOSTED, verdicts
from stages.tools.hosted.web_fetch import WEB_FETCH
from stages.wire.responses_request import Item

__all__ = ["Mapped", "Target", "map_request"]

INCLUDE = ["reasoning.encrypted_content"]
"""What the upstream must send besides its defaults; without it, reasoning could not be brought back."""


@attrs.frozen
class Target:
    """Where a request goes.

    Attributes:
        profile: what the server takes.
        account: fingerprint of address and key; sealed reasoning opens nowhere else.
        models: which model a name means, and what is known about it.
        keyed: whether the key is the gateway's own, behind keys of its clients.
        region: where it computes, in two letters; None where nobody can tell.
        breaks_promises: whether what a client was promised may be left out with a word in the report.
        hosts: whether tools can be run here in the middle of an answer; not in those that are made later.
        fetches: whether pages are read here, where a request declares a tool for that.
        judges: whether calls are judged for clients that run nothing without a verdict.
        fallback: the model that is asked after a refusal where a request leaves the choice to the server.
        shared_agents: whether subagents of a session that have one long system prompt share a cache key.
    """

    profile: Profile = PROFILES["openai"]
    account: str = ""
    models: ModelRegistry = attrs.field(factory=ModelRegistry)
    keyed: bool = False
    region: str | None = None
    breaks_promises: bool = False
    shared_agents: bool = False
    hosts: bool = True
    fetches: bool = False
    judges: bool = False
    fallback: str = ""


@attrs.frozen
class Mapped:
    """A translated request.

    Attributes:
        body: the JSON object of `POST /v1/responses`; it may hold keys of MCP servers.
        plan: how to read the answer.
        report: what became of the request's parts.
        broken: the promises that the upstream cannot keep, for which a request is refused.
    """

    body: dict[str, Any] = attrs.field(repr=False)
    plan: AnswerPlan
    report: Report
    broken: tuple[Note, ...] = ()


def map_request(request: Request, caller: Caller, target: Target, *, message_id: str, tokens: int = 0) -> Mapped:
    """Translate a request.

    Args:
        request: what the client asked.
        caller: who asked, by the headers.
        target: where it goes.
        message_id: the id that the answer will have.
        tokens: what the prompt is estimated to measure.
    """
    upstream_model, profile, report = target.models.upstream_model(request.model), target.profile, Report()
    model = _known_to(profile, target.models.model_info(upstream_model))
    _say_what_was_done_before(request, report)
    overall, changes = thinking.efforts(request, model, profile, report)
    tools = _tools(request, model, target, report)
    reasoning_replay = _reasoning_replay(upstream_model, model, target, report)
    breakpoints = CacheBreakpoints(supported=model.cache_breakpoints and profile.cache_breakpoints, report=report)
    sources = Sources(STRUCTURED if format_asked(request) else "" if target.hosts else LATER)
    conversation = Conversation(tools, reasoning_replay, profile, report, changes, breakpoints, sources)
    body = {"model": upstream_model} | _prompt(request, conversation.build(request), tools, profile)
    body |= tool_choice(request.tool_choice, tools, report, parallel=profile.parallel_calls)
    shown = thinking.display(request)
    answer, reading = _answer(request, shown, overall, model, profile, report)
    body |= answer
    body |= settings.identity(request, caller, profile, shared_agents=target.shared_agents)
    breakpoints.around(request)
    body |= breakpoints.options()
    body |= _handling(request, profile, tools.server_tools, report)
    ask_for_summary(body, request, report)
    warm(body, request, model, profile, report)
    adapt(body, request, profile, report)
    _say_who_judges(request, target, report)
    fallbacks = _fallbacks(request, target, report)
    note_pages(sources, tools.server_tools.names, report)
    broken = broken_promises(request, target.region, (*tools.server_tools.names, *tools.hosted), report)
    field_report.complete(report, request, profile, tools.server_tools.names)
    plan = AnswerPlan(
        message_id=message_id,
        model=request.model,
        upstream_model=upstream_model,
        account=target.account,
        input_tokens=tokens,
        thinking=shown,
        stop_sequences=request.stop_sequences,
        late_system=conversation.late_system,
        streamed=body["stream"],
        keyed=target.keyed,
        applied_edits=request.edits.applied,
        summarises=summarised(request),
        fallbacks=fallbacks,
        compacting=request.edits.compacting if target.hosts else None,
        reasoning=_bound(request, reasoning_replay),
        tool_changes=changes_summed_up(request),
        sources=sources.known,
        **_called(tools),
        **reading,
    )
    return Mapped(body, plan, report, () if target.breaks_promises else broken)


def _tools(request: Request, model: Model, target: Target, report: Report) -> Toolbox:
    return toolbox(
        request,
        report,
        in_place=model.additional_tools,
        available=target.profile.hosted,
        native_search=model.tool_search,
        runs=frozenset(row.name for row in HOSTED if target.hosts and (target.fetches or row is not WEB_FETCH)),
    )


def _reasoning_replay(upstream_model: str, model: Model, target: Target, report: Report) -> ReasoningReplay:
    return ReasoningReplay(target.profile.reasoning_replay, upstream_model, target.account, report, phases=model.phases)


def _say_who_judges(request: Request, target: Target, report: Report) -> None:
    if target.judges and verdicts.asked(request.extra) is not None:
        report.emulated(ROOT.field("safeguards"), "calls are judged by a model that the settings name")


def _say_what_was_done_before(request: Request, report: Report) -> None:
    """Report what became of the request while it was read, and of the history by its own edits."""
    for path in request.mended:
        report.approximated(ROOT.field(path), "half a character, which is no Unicode, becomes U+FFFD")
    for note in request.edits.notes:
        report.emulated(note.place, note.reason)


def _prompt(request: Request, items: list[Item], tools: Toolbox, profile: Profile) -> dict[str, Any]:
    """What the model reads: the conversation, the instructions where they stand apart, and the tools."""
    body: dict[str, Any] = {"input": items}
    if not profile.developer_role and (text := instructions(request)):
        body["instructions"] = text
    if tools.declared:
        body["tools"] = tools.declared
    return body


def _answer(
    request: Request, shown: ThinkingDisplay, overall: str | None, model: Model, profile: Profile, report: Report
) -> tuple[dict[str, Any], dict[str, Any]]:
    """How the model is to answer: thinking, limits, sampling, format and tier; and what of the plan depends on them."""
    body = thinking.reasoning(overall, shown, model, profile)
    limit, cut_at = settings.limits(request, overall, shown, model, profile, report)
    body |= limit
    body |= settings.sampling(request, overall, model, report)
    text, structure = output_format(request, report)
    body |= text
    body |= settings.tier(request, report, known=profile.service_tier)
    return body, {
        "max_output_tokens": limit.get("max_output_tokens"),
        "cut_at": cut_at,
        "window": model.window,
        "cites": not text,
        "structure": structure,
    }


_BY_MODEL = ("phases", "additional_tools", "configuration_updates", "tool_search")


def _known_to(profile: Profile, model: Model) -> Model:
    """A model as a server has it, which may take less than the model's own maker does."""
    if profile.efforts:
        told = profile.efforts.replace(" ", "").split(",")
        model = attrs.evolve(model, efforts=tuple(effort for effort in models.MODEL_EFFORTS if effort in told))
    lacking = {name: False for name in _BY_MODEL if getattr(model, name) and not getattr(profile, name)}
    if lacking:
        model = attrs.evolve(model, **lacking)  # type: ignore[arg-type] # the names of truths
    return model if profile.sampling else attrs.evolve(model, sampling="never")


def _fallbacks(request: Request, target: Target, report: Report) -> tuple[dict[str, Any], ...]:
    """The entries of the models that may be asked after a refusal."""
    asked = request.extra.get("fallbacks")
    entries = chain(asked, target.fallback) if target.hosts else []
    if asked and not entries:
        reason = "the settings name no model for it (fallback)" if target.hosts else "nobody asks another one later"
        report.dropped(ROOT.field("fallbacks"), reason)
    return tuple(entries)


def _bound(request: Request, replay: ReasoningReplay) -> BoundReasoning | None:
    """What to tell of thinking blocks, where the client binds them to their conversation."""
    if request.thinking is None or not isinstance(request.thinking.extra.get("block_binding"), dict):
        return None
    mismatched = {str(place): reason for place, reason in replay.mismatched.items()}
    return BoundReasoning(mismatched, tuple(map(str, replay.returned)))


def _called(tools: Toolbox) -> dict[str, Any]:
    """How the client knows what is called in the answer, and what its arguments may need: a part of the plan."""
    return {
        "tool_names": tools.names,
        "toolsets": tools.toolsets,
        "server_tools": tools.server_tools.names,
        "servers": tools.server_tools.servers,
        "omittables": tools.omittables,
        "hosted": tools.hosted,
    }


def _handling(request: Request, profile: Profile, server_tools: DeclaredServerTools, report: Report) -> dict[str, Any]:
    """How the upstream is to handle it: nothing is stored, reasoning comes sealed, its own tools are limited."""
    body: dict[str, Any] = {"store": False} if profile.store else {}
    body["stream"] = (request.stream and profile.streams) or profile.always_stream
    if request.stream and not body["stream"]:
        report.emulated(ROOT.field("stream"), "the upstream does not stream, so its whole answer is told at once")
    if profile.include and (wanted := [*(INCLUDE if profile.sealed else ()), *server_tools.include]):
        body["include"] = wanted
    if request.stream and body["stream"] and profile.obfuscation:
        body["stream_options"] = {"include_obfuscation": False}
    if server_tools.limit is not None and profile.tool_limit:
        body["max_tool_calls"] = server_tools.limit
    elif server_tools.limit is not None:
        report.dropped(ROOT.field("tools").field("max_uses"), "the upstream takes no limit of calls")
    return body
