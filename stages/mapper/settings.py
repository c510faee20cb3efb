"""What of a request is neither conversation nor tools nor thinking: limits, sampling, identity, tier."""

from __future__ import annotations

from typing import Any

from stages.canonical.place import ROOT
from stages.canonical.plan import ThinkingDisplay
from stages.canonical.report import Report
from stages.canonical.request import Caller, Request, Text
from stages.tables import effort
from stages.tables.identifiers import SHARED_KEY, digest
from stages.tables.models import Model
from stages.tables.profiles import Profile
from stages.wire import json
from stages.wire.lenient import text

LONG_PROMPT_CHARACTERS = 4096
"""Characters of a system prompt that is worth a cache of its own: some 1024 tokens, the least that is cached."""

SERVICE_TIERS = {"auto": "auto", "standard_only": "default"}
"""`service_tier`, Anthropic's word to OpenAI's."""


def limits(
    request: Request, overall: str | None, shown: ThinkingDisplay, model: Model, profile: Profile, report: Report
) -> tuple[dict[str, Any], int | None]:
    """The `max_output_tokens` field, and at how many tokens the answer is cut here; None leaves that to the upstream.

    Upstream the limit counts reasoning too. A client that has switched thinking off means the text alone, so a model
    that reasons all the same gets room for that on top.
    """
    maximum = request.max_tokens
    if maximum is None:
        return {}, None
    if not profile.output_limit:
        report.emulated(ROOT.field("max_tokens"), "the upstream takes no limit; the answer is cut here")
        return {}, maximum
    if maximum == 0:  # what becomes of that is said in `warming`
        return {"max_output_tokens": profile.min_output_tokens}, 0
    reasons = profile.effort and model.reasons(overall)
    room = effort.ROOM_TO_REASON if reasons and shown is ThinkingDisplay.NONE else 0
    limit = min(max(maximum + room, profile.min_output_tokens), model.output)
    if limit < maximum:
        report.approximated(ROOT.field("max_tokens"), f"the model writes no more than {limit}")
    elif limit > maximum:
        report.emulated(ROOT.field("max_tokens"), f"the upstream is asked for {limit}; the answer is cut here")
    return {"max_output_tokens": limit}, maximum if limit > maximum else None


def sampling(request: Request, overall: str | None, model: Model, report: Report) -> dict[str, Any]:
    """`temperature` and `top_p`, where the model takes them."""
    fields = {"temperature": request.temperature, "top_p": request.top_p}
    given = {name: value for name, value in fields.items() if value is not None}
    if model.sampling == "always" or (model.sampling == "without_reasoning" and not model.reasons(overall)):
        return given
    for name in given:
        report.dropped(ROOT.field(name), "the model samples by itself")
    return {}


def identity(request: Request, caller: Caller, profile: Profile, *, shared_agents: bool = False) -> dict[str, Any]:
    """Who asks: a stable `safety_identifier`, and one `prompt_cache_key` for each conversation.

    Claude Code writes JSON into `metadata.user_id` (older versions an underscored text) with device, account and
    session; device and account stay the same for a person, the session for a conversation.

    Args:
        request: what the client asked.
        caller: who asked, by the headers.
        profile: what the server takes.
        shared_agents: whether subagents of one session that have the same long system prompt share a key, so that each
            finds in the cache what the first has put there.
    """
    if not profile.cache_key:
        return {}
    user = request.metadata.user_id if request.metadata else None
    person, session = _person_and_session(user or "")
    named = caller.session or session
    shared = _shared(request) if not named or (shared_agents and caller.agent) else ""
    if named and shared:
        shared = SHARED_KEY + digest(f"{named}|{shared}", 40 - len(SHARED_KEY))
    key = {"prompt_cache_key": shared or _conversation_key(named or _beginning(request), caller)}
    person = person or text(request.extra.get("user_profile_id"))
    return key | ({"safety_identifier": digest(person, 40)} if person and profile.safety_identifier else {})


def session_of(request: Request, caller: Caller) -> str:
    """The client's session: Claude Code tells it in a header and in `metadata.user_id`; empty where nobody does."""
    user = request.metadata.user_id if request.metadata else None
    return caller.session or _person_and_session(user or "")[1]


def _conversation_key(conversation: str, caller: Caller) -> str:
    """The key of one conversation; a subagent's is another one."""
    return digest("|".join(filter(None, (conversation, caller.agent))), 40)


def _person_and_session(user_id: str) -> tuple[str, str]:
    if not user_id:
        return "", ""
    try:
        fields = json.decode(user_id)
    except json.MalformedJson:
        fields = None
    if isinstance(fields, dict):
        person = "|".join(str(fields.get(key) or "") for key in ("device_id", "account_uuid"))
        return person.strip("|") or user_id, str(fields.get("session_id") or "")
    person, _, session = user_id.partition("_session_")
    return person, session


def _shared(request: Request) -> str:
    """The key of all conversations about one long system prompt; empty when there is none.

    The upstream keeps prompts with one key together, and question after question about the same prompt is what caches
    are for.
    """
    prompt = [block.text for block in request.system if isinstance(block, Text) and block.text]
    if sum(map(len, prompt)) >= LONG_PROMPT_CHARACTERS:
        return SHARED_KEY + digest(repr((request.model, prompt)), 40 - len(SHARED_KEY))
    return ""


def _beginning(request: Request) -> str:
    """Tell conversations apart by how they begin."""
    first = request.messages[0] if request.messages else None
    return digest(repr((request.model, request.system, first)), 40)


def tier(request: Request, report: Report, *, known: bool = True) -> dict[str, Any]:
    """The `service_tier` field, where the upstream knows it; `speed: fast` asks for the fast one."""
    asked = request.extra.get("service_tier")
    chosen = "priority" if request.extra.get("speed") == "fast" else SERVICE_TIERS.get(str(asked))
    if asked is not None and chosen is None:
        report.dropped(ROOT.field("service_tier"), "the upstream has no such tier")
    if chosen is None or known:
        return {"service_tier": chosen} if chosen else {}
    if chosen != "auto":
        report.dropped(ROOT.field("speed" if chosen == "priority" else "service_tier"), "the upstream has no tiers")
    return {}
