"""Canonical request becomes Responses request, with a plan of how to read the answer and a report of what changed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs

from stages.canonical.plan import AnswerPlan
from stages.canonical.report import Report
from stages.canonical.request import Caller, Request
from stages.mapper import settings, thinking
from stages.mapper.breakpoints import CacheBreakpoints
from stages.mapper.conversation import Conversation, instructions
from stages.mapper.field_report import defaults, drops
from stages.mapper.formats import output_format
from stages.mapper.reasoning import ReasoningReplay
from stages.mapper.tools import Toolbox, choice, toolbox
from stages.tables import models
from stages.tables.profiles import PROFILES, Profile

__all__ = ["Mapped", "Target", "map_request"]

INCLUDE = ["reasoning.encrypted_content"]
"""What the upstream must send besides its defaults; without it, reasoning could not be brought back."""


@attrs.frozen
class Target:
    """Where a request goes.

    Attributes:
        profile: what the server takes.
        account: fingerprint of address and key; sealed reasoning opens nowhere else.
        models: configured names, see `tables.models.resolve`.
    """

    profile: Profile = PROFILES["openai"]
    account: str = ""
    models: Mapping[str, str] = attrs.field(factory=dict)


@attrs.frozen
class Mapped:
    """A translated request.

    Attributes:
        body: the JSON object of `POST /v1/responses`; it may hold keys of MCP servers.
        plan: how to read the answer.
        report: what became of the request's parts.
    """

    body: dict[str, Any] = attrs.field(repr=False)
    plan: AnswerPlan
    report: Report


def map_request(request: Request, caller: Caller, target: Target, *, message_id: str, reasoning: bool = True) -> Mapped:
    """Translate a request.

    Args:
        request: what the client asked.
        caller: who asked, by the headers.
        target: where it goes.
        message_id: the id that the answer will have.
        reasoning: False leaves out all earlier reasoning, after the upstream has refused it once.
    """
    report, profile = Report(), target.profile
    for path in request.mended:
        report.approximated(path, "half a character, which is no Unicode, becomes U+FFFD")
    upstream_model = models.upstream_model(request.model, target.models)
    model = models.model_info(upstream_model)
    overall, changes = thinking.efforts(request, model, profile, report)
    tools = toolbox(
        request,
        report,
        in_place=model.additional_tools,
        available=profile.hosted,
        native_search=model.tool_search,
    )
    replay = profile.reasoning_replay if reasoning else "none"
    reasoning_replay = ReasoningReplay(replay, upstream_model, target.account, report, phases=model.phases)
    breakpoints = CacheBreakpoints(supported=model.cache_breakpoints and profile.cache_breakpoints, report=report)
    conversation = Conversation(tools, reasoning_replay, profile, report, changes, breakpoints)
    body: dict[str, Any] = {"model": upstream_model, "input": conversation.build(request)}
    if not profile.developer_role and (prompt := instructions(request)):
        body["instructions"] = prompt
    if tools.declared:
        body["tools"] = tools.declared
    body |= choice(request.tool_choice, tools, report)
    body |= thinking.reasoning(request, overall, model, profile)
    limit, cut_at = settings.limits(request, overall, model, profile, report)
    body |= limit
    body |= settings.sampling(request, overall, model, report)
    text, structure = output_format(request, report)
    body |= text
    body |= settings.tier(request, report)
    body |= settings.identity(request, caller, profile)
    breakpoints.around(request)
    body |= breakpoints.options()
    body |= _always(request, profile, include=tools.server_tools.include)
    if tools.server_tools.limit is not None:
        body["max_tool_calls"] = tools.server_tools.limit
    drops.report_drops(request, profile, tools.server_tools.names, report)
    defaults.report_defaults(request, report)
    plan = attrs.evolve(
        _plan(request, target, tools, message_id, upstream_model),
        max_output_tokens=body.get("max_output_tokens"),
        cut_at=cut_at,
        window=model.window,
        cites=not text,
        structure=structure,
    )
    return Mapped(body, plan, report)


def _plan(request: Request, target: Target, tools: Toolbox, message_id: str, upstream_model: str) -> AnswerPlan:
    """How to read the answer, as far as it does not depend on the upstream's limits and formats."""
    return AnswerPlan(
        message_id=message_id,
        model=request.model,
        upstream_model=upstream_model,
        account=target.account,
        tool_names=tools.names,
        toolsets=tools.toolsets,
        server_tools=tools.server_tools.names,
        servers=tools.server_tools.servers,
        thinking=thinking.display(request),
        stop_sequences=request.stop_sequences,
        omittables=tools.omittables,
    )


def _always(request: Request, profile: Profile, *, include: list[str]) -> dict[str, Any]:
    """What every request carries: nothing is stored upstream, and reasoning comes sealed."""
    body: dict[str, Any] = {"store": False, "stream": request.stream or profile.always_stream}
    if profile.include:
        body["include"] = [*INCLUDE, *include]
    if request.stream and profile.obfuscation:
        body["stream_options"] = {"include_obfuscation": False}
    return body
