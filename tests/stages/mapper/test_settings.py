"""Effort, limits, sampling, format, tier and identity of a request."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given

from stages.canonical.plan import ThinkingDisplay
from stages.canonical.report import Fate, Report
from stages.canonical.request import Caller, Message, Metadata, OutputConfig, Request, Text, ThinkingConfig
from stages.mapper import settings
from stages.tables.effort import ROOM_TO_REASON, SMALL_ANSWER
from stages.tables.models import EFFORTS, MODELS, Model
from stages.tables.profiles import PROFILES, Profile
from tests.stages.strategies import JSON, TEXTS

OPENAI = PROFILES["openai"]
NOBODY = Caller()
DISABLED = ThinkingConfig("disabled")
CHANGING = Model("changing", ("low", "medium", "high"), configuration_updates=True)
FIXED = Model("fixed", ("low", "medium", "high"))
MUTE = Model("mute", (), output=100, sampling="always")
RELAXED = Model("relaxed", ("none", "low"), sampling="without_reasoning")
TOOL = {"type": "object", "properties": {}, "required": [], "additionalProperties": False}


def request(*efforts: str | None, **fields: Any) -> Request:
    """A request whose messages say these efforts."""
    messages = tuple(Message("user", (Text("x"),), effort and OutputConfig(effort)) for effort in efforts)  # type: ignore[arg-type]
    return Request("m", messages, **fields)


@pytest.mark.parametrize(
    ("fields", "shown"),
    [
        ({}, ThinkingDisplay.SHOWN),
        ({"max_tokens": SMALL_ANSWER + 1}, ThinkingDisplay.SHOWN),
        ({"max_tokens": SMALL_ANSWER}, ThinkingDisplay.NONE),
        ({"thinking": DISABLED}, ThinkingDisplay.NONE),
        ({"thinking": ThinkingConfig("adaptive"), "max_tokens": 1}, ThinkingDisplay.SHOWN),
        ({"thinking": ThinkingConfig("enabled", 2048, "summarized")}, ThinkingDisplay.SHOWN),
        ({"thinking": ThinkingConfig("adaptive", display="omitted")}, ThinkingDisplay.OMITTED),
    ],
)
def test_what_the_client_sees(fields: dict[str, Any], shown: ThinkingDisplay) -> None:
    """Without a word what there is; a mere probe, or thinking switched off, sees none."""
    assert settings.display(request(**fields)) is shown


@pytest.mark.parametrize(
    ("said", "asked", "overall", "changes"),
    [
        ((), "high", "high", {}),
        ((None, None), "high", "high", {}),
        (("low",), "low", "low", {}),
        (("low", None, "low", "high"), "high", "low", {3: "high"}),
        (("low", "high", "low"), "low", "low", {1: "high", 2: "low"}),
        (("low", "max"), "max", "low", {1: "high"}),
        (("low", "high"), "low", "low", {}),
        (("extreme", "low"), "low", "low", {}),
        (("low", "high"), None, None, {}),
    ],
)
def test_effort_may_change_in_the_middle(
    said: tuple[str | None, ...], asked: str | None, overall: str | None, changes: dict[int, str]
) -> None:
    """The first effort stays the request's own, and each change stands where it was said."""
    config = OutputConfig(asked) if asked else None

    assert settings.efforts(request(*said, output_config=config), CHANGING, Report()) == (overall, changes)


def test_a_growing_conversation_keeps_its_effort() -> None:
    """What stands before the conversation does not change when a later turn asks for more (law 9)."""
    said = ("low", "low", "high", "medium")
    grown = [
        settings.efforts(request(*said[:n], output_config=OutputConfig(said[n - 1])), CHANGING, Report())
        for n in range(1, 5)
    ]

    assert {overall for overall, _ in grown} == {"low"}
    assert [changes for _, changes in grown] == [{}, {}, {2: "high"}, {2: "high", 3: "medium"}]


def test_a_model_that_cannot_change_takes_the_last_effort() -> None:
    """There the request's own effort is all there is; so it is with thinking switched off."""
    asked = OutputConfig("high")

    assert settings.efforts(request("low", "high", output_config=asked), FIXED, Report()) == ("high", {})
    off = request("low", "high", output_config=asked, thinking=DISABLED)
    assert settings.efforts(off, CHANGING, Report()) == ("low", {})


@pytest.mark.parametrize(
    ("asked", "reported"), [("low", False), ("max", True), ("none", True), ("extreme", True), (None, False)]
)
def test_another_effort_than_asked_is_reported(asked: str | None, reported: bool) -> None:
    """Nothing is changed in silence."""
    report = Report()
    settings.efforts(request(output_config=OutputConfig(asked)), FIXED, report)

    assert [(n.path, n.fate) for n in report.notes] == [("output_config.effort", Fate.APPROXIMATED)] * reported


@pytest.mark.parametrize(
    ("overall", "thinking", "model", "profile", "fields"),
    [
        ("low", None, FIXED, OPENAI, {"reasoning": {"effort": "low", "summary": "auto"}}),
        (None, None, FIXED, OPENAI, {"reasoning": {"summary": "auto"}}),
        ("none", DISABLED, RELAXED, OPENAI, {"reasoning": {"effort": "none"}}),
        (None, DISABLED, FIXED, OPENAI, {}),
        (None, None, MUTE, OPENAI, {}),
        ("low", None, FIXED, Profile("x", effort=False), {}),
    ],
)
def test_the_reasoning_field(
    overall: str | None, thinking: ThinkingConfig | None, model: Model, profile: Profile, fields: dict[str, Any]
) -> None:
    """Effort and summary where model and server know them, and no empty field."""
    assert settings.reasoning(request(thinking=thinking), overall, model, profile) == fields


@pytest.mark.parametrize(
    ("asked", "thinking", "overall", "model", "sent", "cut_at", "fate"),
    [
        (None, None, None, FIXED, None, None, None),
        (1000, None, None, FIXED, 1000, None, None),
        (16, DISABLED, "none", RELAXED, 16, None, None),
        (5, DISABLED, "none", RELAXED, 16, 5, Fate.EMULATED),
        (0, DISABLED, "none", RELAXED, 16, 0, Fate.EMULATED),
        (5, None, None, FIXED, 5 + ROOM_TO_REASON, 5, Fate.EMULATED),
        (1000, DISABLED, "low", FIXED, 1000 + ROOM_TO_REASON, 1000, Fate.EMULATED),
        (128_000, DISABLED, "low", FIXED, 128_000, None, None),
        (101, None, None, MUTE, 100, None, Fate.APPROXIMATED),
        (5, None, None, MUTE, 16, 5, Fate.EMULATED),
    ],
)
def test_limits(  # noqa: PLR0917 - the columns of a table
    asked: int | None,
    thinking: ThinkingConfig | None,
    overall: str | None,
    model: Model,
    sent: int | None,
    cut_at: int | None,
    fate: Fate | None,
) -> None:
    """What the upstream is asked for, at how many tokens the answer is cut here, and what is said about it."""
    report = Report()
    limited = settings.limits(request(max_tokens=asked, thinking=thinking), overall, model, OPENAI, report)

    assert limited == ({} if sent is None else {"max_output_tokens": sent}, cut_at)
    assert [(note.path, note.fate) for note in report.notes] == ([("max_tokens", fate)] if fate else [])


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.prefix)
@pytest.mark.parametrize("effort", [None, *EFFORTS])
def test_sampling_goes_where_it_is_taken(model: Model, effort: str | None) -> None:
    """Both parameters or neither, by the model's rule, and what is left out is reported."""
    report = Report()
    fields = settings.sampling(request(temperature=0.0, top_p=0.5), effort, model, report)

    taken = {"always": True, "never": False, "without_reasoning": effort == "none"}[model.sampling]
    assert fields == ({"temperature": 0.0, "top_p": 0.5} if taken else {})
    assert [note.path for note in report.notes] == ([] if taken else ["temperature", "top_p"])


def test_without_sampling_there_is_nothing_to_report() -> None:
    """What was not asked cannot be dropped."""
    report = Report()

    assert settings.sampling(request(), None, FIXED, report) == {}
    assert report.notes == []


@pytest.mark.parametrize(("schema", "strict"), [(TOOL, True), ({"type": "object"}, False), (None, False)])
def test_structured_output(schema: Any, strict: bool) -> None:
    """Strict where the schema allows it, reported where not; the older field means the same."""
    asked, report = {"type": "json_schema", "schema": schema}, Report()
    fields = settings.output_format(request(output_config=OutputConfig(format=asked)), report)

    assert fields["text"]["format"]["strict"] is strict
    assert fields["text"]["format"]["schema"] == schema
    assert [note.path for note in report.notes] == ([] if strict else ["output_config.format"])
    assert settings.output_format(request(extra={"output_format": asked}), Report()) == fields


@pytest.mark.parametrize("asked", [None, {}, {"type": "text"}, {"type": None}])
def test_no_structure_asked(asked: dict[str, Any] | None) -> None:
    """Anything but a JSON schema asks for text."""
    assert settings.output_format(request(output_config=OutputConfig(format=asked)), Report()) == {}


@given(JSON)
def test_any_format_is_taken_or_left(value: Any) -> None:
    """Clients may send anything, and equal schemas get equal names."""
    asked = {"type": "json_schema", "schema": value}

    fields = settings.output_format(request(extra={"output_format": value}), Report())
    assert fields == {} or isinstance(value, dict)
    assert settings.output_format(request(extra={"output_format": asked}), Report()) == settings.output_format(
        request(extra={"output_format": dict(reversed(asked.items()))}), Report()
    )


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
