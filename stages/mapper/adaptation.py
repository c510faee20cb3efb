"""What a server that obeys less than the whole API is sent instead, and what is said where it obeys nothing.

The request is mapped as for the whole API; here, at the end, what the profile knows to be ignored is put in a form that
holds, or reported. A field that is ignored must not look faithful.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from stages.canonical.place import ROOT
from stages.canonical.report import Report
from stages.canonical.request import JsonObject, Request
from stages.mapper.chat_templates import place_results, remind, say_system_as_user, shorten_ids, take_turns
from stages.mapper.tools import choice_of
from stages.schemas.limits import without_limits
from stages.tables.profiles import Profile
from stages.wire.cache import by_identity

_NO_LIMITS = "the server makes no grammar of such lengths and patterns, so they are not asked for"

UpstreamBody = dict[str, Any]
"""The upstream request; changed in place."""

_Fit = Callable[[UpstreamBody, Request, Report], None]


def adapt(body: UpstreamBody, request: Request, profile: Profile, report: Report) -> None:
    """Fit a request to a server, and report what that makes of the client's wishes."""
    for fit in _needed(profile):
        fit(body, request, report)


@by_identity
def _needed(profile: Profile) -> tuple[_Fit, ...]:
    """What is done for a server: the same for each of its requests."""
    return tuple(fit for heeds, fit in _FITS if not heeds(profile))


def _offer_alone(body: UpstreamBody, _: Request, report: Report) -> None:
    """Where a named tool cannot be forced, it is the only one that is offered, and some call is."""
    choice = body.get("tool_choice")
    if not isinstance(choice, dict) or choice.get("type") != "function":
        return
    body["tools"] = [tool for tool in body["tools"] if tool.get("name") == choice["name"]]
    body["tool_choice"] = "required"
    report.emulated(
        ROOT.field("tool_choice"),
        "the server forces no tool by name, so that tool alone is offered and a call required",
    )


def _offer_allowed(body: UpstreamBody, _: Request, report: Report) -> None:
    """Where no list of tools that may be called is obeyed, nothing else is offered."""
    choice = body.get("tool_choice")
    if not isinstance(choice, dict) or choice.get("type") != "allowed_tools":
        return
    body["tools"] = [tool for tool in body["tools"] if choice_of(tool) in choice["tools"]]
    body["tool_choice"] = choice["mode"]
    report.emulated(
        ROOT.field("messages"),
        "the server takes no list of tools that may be called, so what was removed is not declared any more",
    )


def _allow_parallel(body: UpstreamBody, _: Request, report: Report) -> None:
    if body.pop("parallel_tool_calls", None) is not None:
        report.approximated(
            ROOT.field("tool_choice").field("disable_parallel_tool_use"),
            "the server makes as many calls as the model likes",
        )


def _forget_strict(body: UpstreamBody, _: Request, report: Report) -> None:
    """Where nobody is told which schemas are to be obeyed to the letter, that is asked for no more."""
    asked = False
    for holder in (body, *(item for item in body["input"] if item["type"] == "additional_tools")):
        tools = holder.get("tools", [])
        asked = asked or any(tool.get("strict") for tool in tools)
        if any("strict" in tool for tool in tools):
            holder["tools"] = [{name: value for name, value in tool.items() if name != "strict"} for tool in tools]
    if asked:
        report.approximated(ROOT.field("tools"), "the server takes no `strict`, so the schema is only asked for")


def _forget_detail(body: UpstreamBody, _: Request, __: Report) -> None:
    """Pictures without a word on how closely they are looked at, which nobody has asked for."""
    body["input"] = [
        {**item, name: [_without_detail(part) for part in item[name]]} if isinstance(item.get(name), list) else item
        for item in body["input"]
        for name in ("output" if item["type"] == "function_call_output" else "content",)
    ]


def _without_detail(part: JsonObject) -> JsonObject:
    return {name: value for name, value in part.items() if name != "detail"} if part["type"] == "input_image" else part


def _forget_limits(body: UpstreamBody, _: Request, report: Report) -> None:
    """Where no grammar holds the limits of a schema, they are left out; the client checks what it gets, as ever."""
    declared, layout = body.get("tools", []), body.get("text", {}).get("format", {})
    tools, free = [_without_limits_in(tool, "parameters") for tool in declared], _without_limits_in(layout, "schema")
    if tools != declared:
        body["tools"] = tools
        report.approximated(ROOT.field("tools"), _NO_LIMITS)
    if free != layout:
        body["text"] = {**body["text"], "format": free}
        report.approximated(ROOT.field("output_config").field("format"), _NO_LIMITS)


def _without_limits_in(holder: JsonObject, name: str) -> JsonObject:
    schema = holder.get(name)
    return {**holder, name: without_limits(schema)} if isinstance(schema, dict) else holder


def _format_as_in_chat(body: UpstreamBody, _: Request, __: Report) -> None:
    """The same format, in the field where Chat Completions has it."""
    text = body.pop("text", None)
    if text is not None:
        asked = {name: value for name, value in text["format"].items() if name != "type"}
        body["response_format"] = {"type": "json_schema", "json_schema": asked}


def _forget_tier(body: UpstreamBody, request: Request, report: Report) -> None:
    if body.pop("service_tier", None) is not None:
        path = "speed" if request.extra.get("speed") == "fast" else "service_tier"
        report.dropped(ROOT.field(path), "the server has no tiers")


def _doubt_effort(body: UpstreamBody, request: Request, report: Report) -> None:
    if "effort" not in body.get("reasoning", {}):
        return
    said = request.output_config is not None and request.output_config.effort is not None
    place = ROOT.field("output_config").field("effort") if said else ROOT.field("thinking")
    report.approximated(place, "the server hands it to the model's template at best, and older ones ignore it")


_FITS: tuple[tuple[Callable[[Profile], bool], _Fit], ...] = (
    (lambda profile: profile.named_choice, _offer_alone),
    (lambda profile: profile.allowed_choice, _offer_allowed),
    (lambda profile: profile.parallel_choice, _allow_parallel),
    (lambda profile: profile.tool_strict, _forget_strict),
    (lambda profile: profile.image_detail, _forget_detail),
    (lambda profile: profile.schema_limits, _forget_limits),
    (lambda profile: profile.format_field == "text", _format_as_in_chat),
    (lambda profile: profile.tiers, _forget_tier),
    (lambda profile: profile.heeds_effort, _doubt_effort),
    (lambda profile: profile.parallel_history, place_results),
    (lambda profile: profile.long_call_ids, shorten_ids),
    (lambda profile: profile.late_system and profile.system_role, remind),
    (lambda profile: profile.system_role, say_system_as_user),
    (lambda profile: profile.role_repeats, take_turns),
)
"""Whether a profile needs nothing, and what is done where it does; the last puts together what the others have made."""
