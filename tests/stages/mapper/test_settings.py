"""Effort, limits, sampling, format, tier and identity of a request."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given

from stages.canonical.report import Disposition, Report
from stages.canonical.request import Caller, Message, Metadata, OutputConfig, Request, Text, ThinkingConfig
from stages.mapper import Target, map_request, settings
from stages.mapper.thinking import display
from stages.tables.effort import ROOM_TO_REASON
from stages.tables.models import MODEL_EFFORTS, MODELS, Model
from stages.tables.profiles import PROFILES, Profile
from stages.wire.messages_request import structure
from tests.stages.strategies import TEXTS
from tests.support.cases import cases

OPENAI = PROFILES["openai"]
NOBODY = Caller()
DISABLED = ThinkingConfig("disabled")
CHANGING = Model("changing", ("low", "medium", "high"), configuration_updates=True)
FIXED = Model("fixed", ("low", "medium", "high"))
MUTE = Model("mute", (), output=100, sampling="always")
RELAXED = Model("relaxed", ("none", "low"), sampling="without_reasoning")


def request(*efforts: str | None, **fields: Any) -> Request:
    """A request whose messages say these efforts."""
    messages = tuple(Message("user", (Text("x"),), effort and OutputConfig(effort)) for effort in efforts)  # type: ignore[arg-type]
    return Request("m", messages, **fields)


@cases(
    ("asked", "thinking", "overall", "model", "sent", "cut_at", "disposition"),
    [
        (None, None, None, FIXED, None, None, None),
        (1000, None, None, FIXED, 1000, None, None),
        (16, DISABLED, "none", RELAXED, 16, None, None),
        (5, DISABLED, "none", RELAXED, 16, 5, Disposition.EMULATED),
        (0, DISABLED, "none", RELAXED, 16, 0, None),
        (5, None, None, FIXED, 5 + ROOM_TO_REASON, 5, Disposition.EMULATED),
        (1000, DISABLED, "low", FIXED, 1000 + ROOM_TO_REASON, 1000, Disposition.EMULATED),
        (128_000, DISABLED, "low", FIXED, 128_000, None, None),
        (101, None, None, MUTE, 100, None, Disposition.APPROXIMATED),
        (5, None, None, MUTE, 16, 5, Disposition.EMULATED),
    ],
)
def test_limits(  # noqa: PLR0917 - the columns of a table
    asked: int | None,
    thinking: ThinkingConfig | None,
    overall: str | None,
    model: Model,
    sent: int | None,
    cut_at: int | None,
    disposition: Disposition | None,
) -> None:
    """What the upstream is asked for, at how many tokens the answer is cut here, and what is said about it."""
    report = Report()
    asking = request(max_tokens=asked, thinking=thinking)
    limited = settings.limits(asking, overall, display(asking), model, OPENAI, report)

    assert limited == ({} if sent is None else {"max_output_tokens": sent}, cut_at)
    assert [(note.path, note.disposition) for note in report.notes] == (
        [("max_tokens", disposition)] if disposition else []
    )


@cases("model", MODELS, ids=lambda model: model.prefix)
@cases("effort", [None, *MODEL_EFFORTS])
def test_sampling_goes_where_it_is_taken(model: Model, effort: str | None) -> None:
    """Both parameters or neither, by the model's rule, and what is left out is reported."""
    report = Report()
    fields = settings.sampling(request(temperature=0.0, top_p=0.5), effort, model, report)

    rests_by_default = effort == "none" or (effort is None and model.rests_by_default)
    taken = {"always": True, "never": False, "without_reasoning": rests_by_default}[model.sampling]
    assert fields == ({"temperature": 0.0, "top_p": 0.5} if taken else {})
    assert [note.path for note in report.notes] == ([] if taken else ["temperature", "top_p"])


def test_without_sampling_there_is_nothing_to_report() -> None:
    """What was not asked cannot be dropped."""
    report = Report()

    assert settings.sampling(request(), None, FIXED, report) == {}
    assert report.notes == []


@pytest.mark.parametrize(
    ("extra", "fields", "dropped"),
    [
        ({}, {}, False),
        ({"service_tier": "auto"}, {"service_tier": "auto"}, False),
        ({"service_tier": "standard_only"}, {"service_tier": "default"}, False),
        ({"service_tier": "golden"}, {}, True),
        ({"service_tier": ["auto"]}, {}, True),
        ({"speed": "fast"}, {"service_tier": "priority"}, False),
        ({"speed": "fast", "service_tier": "auto"}, {"service_tier": "priority"}, False),
        ({"speed": "standard"}, {}, False),
    ],
)
def test_tiers(extra: dict[str, Any], fields: dict[str, Any], dropped: bool) -> None:
    """Anthropic's tiers and speeds in OpenAI's words; what has none is reported."""
    report = Report()

    assert settings.tier(request(extra=extra), report) == fields
    assert [note.path for note in report.notes] == ["service_tier"] * dropped


def identified(user_id: str | None, caller: Caller = NOBODY, text: str = "x") -> dict[str, Any]:
    """Who asks, by these words."""
    asked = Request("m", (Message("user", (Text(text),)),), metadata=Metadata(user_id))
    return settings.identity(asked, caller, OPENAI)


NEW = '{"device_id":"d","account_uuid":"a","session_id":"%s"}'


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (NEW % "s1", NEW % "s2"),
        ("user_1_account_2_session_3", "user_1_account_2_session_4"),
        ('{"device_id":"d"}', '{"device_id":"d","session_id":"s"}'),
    ],
)
def test_a_person_is_the_same_in_every_session(one: str, other: str) -> None:
    """The person's hash is stable, the cache key is the conversation's, and neither shows a word."""
    first, second = identified(one), identified(other)

    assert first["safety_identifier"] == second["safety_identifier"]
    assert first["prompt_cache_key"] != second["prompt_cache_key"]
    assert all(len(value) == 40 for value in first.values())


def test_on_whose_behalf_a_request_is_made() -> None:
    """A profile is the person where metadata names nobody; else the report says that it was not told."""

    def told(**fields: Any) -> tuple[str, str]:
        body = {"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": "hi"}], **fields}
        mapped = map_request(structure({**body, "user_profile_id": "uprof_1"}), Caller(), Target(), message_id="msg_1")
        (fate,) = [note.disposition.value for note in mapped.report.notes if note.path == "user_profile_id"]
        return mapped.body["safety_identifier"], fate

    assert told() == (told(metadata={"user_id": ""})[0], "translated")
    assert told(metadata={"user_id": "x"}) == (identified("x")["safety_identifier"], "dropped")
    assert told()[0] != identified("x")["safety_identifier"]


def test_questions_about_one_long_prompt_share_a_key() -> None:
    """Where no session is named, the prompt is what is worth keeping; a short one is not, and tells nothing apart."""

    def key(prompt: str, question: str) -> str:
        asked = Request("m", (Message("user", (Text(question),)),), system=(Text(prompt),))
        return str(settings.identity(asked, Caller(), OPENAI)["prompt_cache_key"])

    long, short = "x" * settings.LONG_PROMPT_CHARACTERS, "x"
    assert key(long, "a") == key(long, "b")
    assert key(long, "a") != key(long + "y", "a")
    assert key(short, "a") != key(short, "b")


def test_subagents_of_a_session_may_share_a_key() -> None:
    """Those that have the same long system prompt, if the settings say so; never with the main agent."""
    long = "x" * settings.LONG_PROMPT_CHARACTERS

    def key(agent: str, prompt: str = long, session: str = "s", *, shared: bool = True) -> str:
        asked = Request("m", (Message("user", (Text(agent),)),), system=(Text(prompt),))
        caller = Caller(session=session, agent=agent)
        return str(settings.identity(asked, caller, OPENAI, shared_agents=shared)["prompt_cache_key"])

    assert key("a") == key("b")
    assert len({key("a"), key(""), key("a", session="t"), key("a", long + "y"), key("a", "x"), key("b", "x")}) == 6
    assert key("a", shared=False) != key("b", shared=False)
    assert len(key("a")) == 40


def test_a_conversation_keeps_its_key() -> None:
    """By the header, else by the session in the user id, else by how it begins; each agent has its own."""
    header, agent = Caller(session="s"), Caller(session="s", agent="a")

    def key(*arguments: Any) -> Any:
        return identified(*arguments)["prompt_cache_key"]

    assert key(NEW % "s1", header) == key(None, header, "another text")
    assert key(NEW % "s1", header) != key(NEW % "s1", agent)
    assert key(NEW % "s1") == key(NEW % "s1", NOBODY, "another text")
    assert key(None) == key(None)
    assert key(None) != key(None, NOBODY, "another text")


@pytest.mark.parametrize("user_id", [None, ""])
def test_nobody_is_nobody(user_id: str | None) -> None:
    """Without a user there is no identifier, and a conversation still has its key."""
    assert set(identified(user_id)) == {"prompt_cache_key"}
    assert "safety_identifier" not in settings.identity(Request("m", ()), NOBODY, OPENAI)


def test_servers_without_the_fields_get_none() -> None:
    """Compatible servers refuse what they do not know."""
    assert settings.identity(request(), Caller(session="s"), Profile("x", cache_key=False)) == {}


@pytest.mark.parametrize(
    "user_id", ["[" * 200_000, '{"a":' * 200_000, "1" * 5000, "null"], ids=["list", "object", "number", "null"]
)
def test_a_user_id_is_never_too_odd(user_id: str) -> None:
    """It looks like JSON and is none that can be read: then it is just a text."""
    assert len(identified(user_id)["safety_identifier"]) == 40


@given(TEXTS)
def test_any_user_id_is_hashed(user_id: str) -> None:
    """Whatever a client puts there."""
    assert len(identified(user_id)["prompt_cache_key"]) == 40
