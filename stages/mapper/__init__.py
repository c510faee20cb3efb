"""Canonical request becomes Responses request, with a plan of how to read the answer and a report of what changed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs

from stages.canonical.plan import AnswerPlan
from stages.canonical.report import Note, Report
from stages.canonical.request import Caller, Request
from stages.mapper import settings
from stages.mapper.conversation import Conversation, instructions
from stages.mapper.reasoning import Reasoning
from stages.mapper.tools import choice, toolbox
from stages.tables import fields, models
from stages.tables.profiles import PROFILES, Profile
from stages.tables.web_search import INCLUDE as SOURCES

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
        body: the JSON object of `POST /v1/responses`.
        plan: how to read the answer.
        report: what became of the request's parts.
    """

    body: dict[str, Any]
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
    upstream_model = models.resolve(request.model, target.models)
    model = models.facts(upstream_model)
    overall, changes = settings.efforts(request, model, report)
    tools = toolbox(request, report, in_place=model.additional_tools, hosted=profile.web_search)
    replay = profile.reasoning_replay if reasoning else "none"
    memory = Reasoning(replay, upstream_model, target.account, report)
    conversation = Conversation(tools, memory, profile, report, changes if profile.effort else {})
    body: dict[str, Any] = {"model": upstream_model, "input": conversation.build(request)}
    if not profile.developer_role and (prompt := instructions(request)):
        body["instructions"] = prompt
    if tools.declared:
        body["tools"] = tools.declared
    body |= choice(request.tool_choice, tools, report)
    body |= settings.reasoning(request, overall, model, profile)
    limit, cut_at = settings.limits(request, overall, model, profile, report)
    body |= limit
    body |= settings.sampling(request, overall, model, report)
    body |= settings.output_format(request, report)
    body |= settings.tier(request, report)
    body |= settings.identity(request, caller, profile)
    body |= _always(request, profile, web_search=tools.web_search)
    if tools.searches is not None:
        body["max_tool_calls"] = max(1, tools.searches)
    _report_fields(request, report)
    plan = AnswerPlan(
        message_id=message_id,
        model=request.model,
        upstream_model=upstream_model,
        account=target.account,
        tool_names=tools.names,
        web_search=tools.web_search,
        thinking=settings.display(request),
        max_output_tokens=body.get("max_output_tokens"),
        stop_sequences=request.stop_sequences,
        cut_at=cut_at,
        window=model.window,
    )
    return Mapped(body, plan, report)


def _always(request: Request, profile: Profile, *, web_search: bool) -> dict[str, Any]:
    """What every request carries: nothing is stored upstream, and reasoning comes sealed."""
    body: dict[str, Any] = {"store": False, "stream": request.stream}
    if profile.include:
        body["include"] = [*INCLUDE, SOURCES] if web_search else INCLUDE
    if request.stream and profile.obfuscation:
        body["stream_options"] = {"include_obfuscation": False}
    return body


def _report_fields(request: Request, report: Report) -> None:
    """Give every field that the request has its fate; what a stage has said about one stands."""
    told = {note.path for note in report.notes}
    unset = attrs.fields_dict(Request)
    present = [
        name for name, field in unset.items() if name != "extra" and getattr(request, name) not in (field.default, None)
    ]
    for name in (*present, *request.extra):
        if name not in told:
            fate, reason = fields.FIELDS.get(name, fields.UNKNOWN)
            report.notes.append(Note(name, fate, reason))
