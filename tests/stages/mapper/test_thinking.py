"""How hard the model is asked to think, what is shown of it, and what is said where a wish could not be met."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stages.canonical.plan import ThinkingDisplay
from stages.canonical.report import Disposition, Report
from stages.canonical.request import Caller, Message, OutputConfig, Request, Text, ThinkingConfig
from stages.mapper import Target, map_request, thinking
from stages.tables.effort import SMALL_ANSWER
from stages.tables.models import MODEL_EFFORTS, MODELS, UNKNOWN_MODEL, Model, model_info
from stages.tables.profiles import PROFILES, Profile
from tests.support.cases import cases
from tests.support.judges import judge_upstream_request

OPENAI = PROFILES["openai"]
DEAF = Profile("deaf", effort=False)
DISABLED = ThinkingConfig("disabled")
ADAPTIVE = ThinkingConfig("adaptive")
CHANGING = Model("changing", ("low", "medium", "high"), configuration_updates=True)
FIXED = Model("fixed", ("low", "medium", "high"))
MUTE = Model("mute", ())
RELAXED = Model("relaxed", ("none", "low"))
RESTING = Model("resting", ("none", "low", "medium"), rests_by_default=True)

APPROXIMATED, DROPPED = Disposition.APPROXIMATED, Disposition.DROPPED
TYPE, BUDGET, EFFORT, DISPLAY = "thinking.type", "thinking.budget_tokens", "output_config.effort", "thinking.display"


def request(*efforts: str | None, answered: int | None = None, **fields: Any) -> Request:
    """A request whose messages say these efforts; `answered` is the index of the assistant's one."""
    messages = tuple(
        Message("assistant" if at == answered else "user", (Text("x"),), effort and OutputConfig(effort))  # type: ignore[arg-type]
        for at, effort in enumerate(efforts)
    )
    return Request("m", messages, **fields)


def asked(
    *said: str | None,
    model: Model = FIXED,
    profile: Profile = OPENAI,
    effort: str | None = None,
    config: ThinkingConfig | None = None,
    **fields: Any,
) -> tuple[tuple[str | None, dict[int, str]], list[tuple[str, Disposition]]]:
    """Decide about the efforts of a request; return them, and the notes about it."""
    report = Report()
    asking = request(*said, output_config=effort and OutputConfig(effort), thinking=config, **fields)
    return thinking.efforts(asking, model, profile, report), [(note.path, note.disposition) for note in report.notes]


@pytest.mark.parametrize(
    ("fields", "shown"),
    [
        ({}, ThinkingDisplay.SHOWN),
        ({"max_tokens": SMALL_ANSWER + 1}, ThinkingDisplay.SHOWN),
        ({"max_tokens": SMALL_ANSWER}, ThinkingDisplay.NONE),
        ({"thinking": DISABLED}, ThinkingDisplay.NONE),
        ({"thinking": ADAPTIVE, "max_tokens": 1}, ThinkingDisplay.SHOWN),
        ({"thinking": ThinkingConfig("enabled", 2048, "summarized")}, ThinkingDisplay.SHOWN),
        ({"thinking": ThinkingConfig("adaptive", display="updates")}, ThinkingDisplay.SHOWN),
        ({"thinking": ThinkingConfig("adaptive", display="omitted")}, ThinkingDisplay.OMITTED),
        ({"thinking": ThinkingConfig("between_tools")}, ThinkingDisplay.SHOWN),
    ],
)
def test_what_the_client_sees(fields: dict[str, Any], shown: ThinkingDisplay) -> None:
    """Without a word what there is; a mere probe, or thinking switched off, sees none."""
    assert thinking.display(request(**fields)) is shown


@cases(
    ("config", "effort", "model", "overall", "notes"),
    [
        (None, None, FIXED, None, []),
        (None, "low", FIXED, "low", []),
        (None, "max", FIXED, "high", [(EFFORT, APPROXIMATED)]),
        (None, "none", FIXED, "low", [(EFFORT, APPROXIMATED)]),
        (None, "extreme", FIXED, None, [(EFFORT, DROPPED)]),
        (None, "high", MUTE, None, [(EFFORT, DROPPED)]),
        (None, None, RESTING, None, []),
        (DISABLED, None, RELAXED, "none", []),
        (DISABLED, None, MUTE, None, []),
        (DISABLED, None, FIXED, "low", [(TYPE, APPROXIMATED)]),
        (DISABLED, "high", RELAXED, "none", [(EFFORT, DROPPED)]),
        (DISABLED, "high", FIXED, "low", [(EFFORT, DROPPED), (TYPE, APPROXIMATED)]),
        (ADAPTIVE, None, FIXED, None, []),
        (ADAPTIVE, None, RESTING, "medium", []),
        (ADAPTIVE, "low", RESTING, "low", []),
        (ADAPTIVE, None, MUTE, None, [(TYPE, DROPPED)]),
        (ThinkingConfig("adaptive", display="updates"), None, FIXED, None, [(DISPLAY, Disposition.EMULATED)]),
        (ThinkingConfig("adaptive", display="of tomorrow"), None, FIXED, None, [(DISPLAY, APPROXIMATED)]),
        (ThinkingConfig("adaptive", display="omitted"), None, FIXED, None, []),
        (ThinkingConfig("enabled", 4_000), None, FIXED, "medium", [(BUDGET, APPROXIMATED)]),
        (ThinkingConfig("enabled", 31_999), None, FIXED, "high", [(BUDGET, APPROXIMATED)]),
        (ThinkingConfig("enabled", 31_999), "low", FIXED, "low", [(BUDGET, DROPPED)]),
        (ThinkingConfig("enabled", 31_999), None, MUTE, None, [(TYPE, DROPPED)]),
        (ThinkingConfig("between_tools"), None, RESTING, "medium", [(TYPE, APPROXIMATED)]),
        (ThinkingConfig("of tomorrow"), None, FIXED, None, [(TYPE, APPROXIMATED)]),
    ],
)
def test_what_becomes_of_each_form(
    config: ThinkingConfig | None,
    effort: str | None,
    model: Model,
    overall: str | None,
    notes: list[tuple[str, Disposition]],
) -> None:
    """Every way to ask for thinking, on models that must, may, and cannot reason, with its note at its own path."""
    assert asked(model=model, effort=effort, config=config) == ((overall, {}), notes)


@pytest.mark.parametrize(
    ("config", "effort", "notes"),
    [
        (None, None, []),
        (None, "high", [(EFFORT, DROPPED)]),
        (DISABLED, None, [(TYPE, APPROXIMATED)]),
        (ThinkingConfig("enabled", 4_000), None, [(TYPE, DROPPED)]),
    ],
)
def test_a_server_that_takes_no_word_about_reasoning(
    config: ThinkingConfig | None, effort: str | None, notes: list[tuple[str, Disposition]]
) -> None:
    """Nothing is sent there, and nothing is lost in silence."""
    assert asked(profile=DEAF, effort=effort, config=config) == ((None, {}), notes)


@pytest.mark.parametrize(
    ("said", "effort", "overall", "changes"),
    [
        ((), "high", "high", {}),
        ((None, None), "high", "high", {}),
        (("low",), "low", "low", {}),
        (("low", None, "low", "high"), "high", "low", {3: "high"}),
        (("low", "high", "low"), "low", "low", {1: "high", 2: "low"}),
        (("low", "max"), "high", "low", {1: "high"}),
        (("low", "high"), "low", "low", {1: "high"}),
        (("low", "high"), None, None, {0: "low", 1: "high"}),
        ((None, "low"), None, None, {1: "low"}),
    ],
)
def test_effort_may_change_in_the_middle(
    said: tuple[str | None, ...], effort: str | None, overall: str | None, changes: dict[int, str]
) -> None:
    """A repeated effort is the one before the first answer; each change stands where it was said."""
    assert asked(*said, model=CHANGING, effort=effort)[0] == (overall, changes)


@pytest.mark.parametrize(
    ("said", "effort", "overall", "changes"),
    [
        ((None, None, "low"), "high", "high", {2: "low"}),
        ((None, None, "low", None, "high"), "high", "high", {2: "low", 4: "high"}),
        ((None, None, "high"), "high", "high", {}),
        ((None, None, "low"), None, None, {2: "low"}),
    ],
)
def test_the_requests_own_effort_holds_until_a_message_says_another(
    said: tuple[str | None, ...], effort: str | None, overall: str | None, changes: dict[int, str]
) -> None:
    """A client that says an effort on a later message alone does not change what stood before the conversation."""
    assert asked(*said, model=CHANGING, effort=effort, answered=1)[0] == (overall, changes)


@given(
    st.lists(st.none() | st.sampled_from(MODEL_EFFORTS[2:]), min_size=1, max_size=6), st.sampled_from((None, "high"))
)
def test_a_growing_conversation_keeps_its_effort(said: list[str | None], effort: str | None) -> None:
    """What stands before the conversation does not change, and no change that was made is taken back (law 9)."""
    grown = [asked(*said[:n], model=CHANGING, effort=effort, answered=1)[0] for n in range(2, len(said) + 1)]

    assert len({overall for overall, _ in grown}) <= 1
    assert all(later.items() >= earlier.items() for (_, earlier), (_, later) in pairwise(grown))


def test_a_model_that_cannot_change_takes_the_newest_effort() -> None:
    """There the request's own effort is all there is, and what an earlier message said is reported."""
    at = "messages.0.output_config.effort"

    assert asked("low", "high", effort="high") == (("high", {}), [(at, DROPPED)])
    assert asked("low", "max") == (("high", {}), [("messages.1.output_config.effort", APPROXIMATED), (at, DROPPED)])


@pytest.mark.parametrize("model", [CHANGING, FIXED, MUTE])
@pytest.mark.parametrize(("word", "config"), [("low", DISABLED), ("extreme", None)])
def test_a_messages_effort_that_cannot_be_taken_is_reported(
    word: str, config: ThinkingConfig | None, model: Model
) -> None:
    """Switched off, unknown, or said to a model that does not reason: nothing is sent, and its path is named."""
    (_, changes), notes = asked(None, word, model=model, config=config)

    assert changes == {}
    assert ("messages.1.output_config.effort", DROPPED) in notes


@pytest.mark.parametrize(
    ("overall", "config", "model", "profile", "fields"),
    [
        ("low", None, FIXED, OPENAI, {"reasoning": {"effort": "low", "summary": "auto"}}),
        (None, None, FIXED, OPENAI, {"reasoning": {"summary": "auto"}}),
        ("none", DISABLED, RELAXED, OPENAI, {"reasoning": {"effort": "none"}}),
        ("low", ThinkingConfig("adaptive", display="omitted"), FIXED, OPENAI, {"reasoning": {"effort": "low"}}),
        (None, DISABLED, FIXED, OPENAI, {}),
        (None, None, MUTE, OPENAI, {}),
        ("low", None, FIXED, DEAF, {}),
    ],
)
def test_the_reasoning_field(
    overall: str | None, config: ThinkingConfig | None, model: Model, profile: Profile, fields: dict[str, Any]
) -> None:
    """Effort and summary where model and server know them, and no empty field."""
    shown = thinking.display(request(thinking=config))

    assert thinking.reasoning(overall, shown, model, profile) == fields


FORMS: dict[str, dict[str, Any]] = {
    "nothing": {},
    "probe": {"max_tokens": 1},
    "disabled": {"thinking": DISABLED},
    "adaptive": {"thinking": ADAPTIVE},
    "updates": {"thinking": ThinkingConfig("adaptive", display="updates")},
    "omitted": {"thinking": ThinkingConfig("adaptive", display="omitted")},
    "summarized": {"thinking": ThinkingConfig("adaptive", display="summarized")},
    "between_tools": {"thinking": ThinkingConfig("between_tools")},
    **{f"budget {n}": {"thinking": ThinkingConfig("enabled", n)} for n in (1024, 4_000, 10_000, 31_999)},
    **{f"effort {word}": {"output_config": OutputConfig(word)} for word in (*MODEL_EFFORTS, "extreme")},
    "disabled, effort": {"thinking": DISABLED, "output_config": OutputConfig("max")},
    "budget, effort": {"thinking": ThinkingConfig("enabled", 31_999), "output_config": OutputConfig("low")},
    "adaptive, effort": {"thinking": ADAPTIVE, "output_config": OutputConfig("xhigh")},
}
"""Ways to ask, or not, for thinking."""

NAMES = [*(model.prefix + "4-mini" * (model.prefix == "o") for model in MODELS), "a-model-of-tomorrow"]
"""A name for every model of the table, and one that is not in it."""


@cases("name", NAMES)
@cases("form", FORMS)
@pytest.mark.parametrize("told", [(), ("low", "max")])
def test_every_model_takes_every_form(form: str, name: str, told: tuple[str, ...], shared: Path) -> None:
    """No model is sent an effort that it refuses; the judge of requests finds nothing; what differs is reported."""
    assert shared.is_dir()
    asking = attrs.evolve(request(*told or (None,), **FORMS[form]), model=name)
    mapped = map_request(asking, Caller(), Target(), message_id="msg_1")
    model = model_info(name)

    assert judge_upstream_request(mapped.body) == []
    sent = mapped.body.get("reasoning", {}).get("effort")
    changed = [item["reasoning"]["effort"] for item in mapped.body["input"] if item["type"] == "configuration_update"]
    assert {word for word in (sent, *changed) if word is not None} <= set(model.efforts)
    _check_notes(mapped.report, asking, sent, model)


def _check_notes(report: Report, asking: Request, sent: str | None, model: Model) -> None:
    """Assert that each word about thinking which did not go up as it is was reported at its path, and no other."""
    noted = {note.path for note in report.notes if note.disposition in (APPROXIMATED, DROPPED)}
    config, effort = asking.thinking, asking.output_config and asking.output_config.effort
    told = [message.output_config.effort for message in asking.messages if message.output_config]
    expected = {EFFORT: effort is not None and not told and effort != sent}
    if config is not None:
        kept = sent in {"none", None} if config.type == "disabled" else bool(model.efforts)
        expected |= {
            TYPE: not kept or config.type == "between_tools",
            BUDGET: config.budget_tokens is not None and bool(model.efforts),
        }
    if told:
        expected.pop(EFFORT)
    assert {path for path in expected if path in noted} == {path for path, due in expected.items() if due}
    if told and (not model.efforts or not model.configuration_updates):
        assert any(path.startswith("messages.") for path in noted)


def test_an_unknown_server_gets_the_word_as_it_is() -> None:
    """What is asked of a model that nobody knows is passed on."""
    assert asked(model=UNKNOWN_MODEL, effort="max") == (("max", {}), [])
