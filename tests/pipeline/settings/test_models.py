"""What can be said about models, in TOML and in one text."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pipeline.settings import ConfigurationError, load
from pipeline.settings.models import read_models
from stages.tables.model_registry import Described
from stages.tables.prices import Price
from tests.support.cases import cases


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("opus=gpt-a, haiku = gpt-b", {"opus": "gpt-a", "haiku": "gpt-b"}),
        ("prod~gpt-5", {"prod": Described(like="gpt-5")}),
        ("opus=prod ~ gpt-5", {"opus": Described("prod", "gpt-5")}),
        ("", {}),
    ],
)
def test_the_short_form(text: str, value: dict[str, Any]) -> None:
    """`=` says which model, `~` what it is like."""
    assert read_models(text) == value


def test_a_table_says_it_all_in_one_place(tmp_path: Path) -> None:
    """Beside plain names; efforts come in order, prices as numbers."""
    file = tmp_path / "dragoman.toml"
    file.write_text("""
        [models]
        opus = "prod-coding"
        [models.prod-coding]
        like = "gpt-6.2-sol"
        window = 400_000
        output = 64_000
        efforts = ["high", "low"]
        price = { input = 2, cached = 0.5, output = 8 }
        """)
    read = load({}, {}, file).models

    assert read["opus"] == "prod-coding"
    told = read["prod-coding"]
    assert isinstance(told, Described)
    assert told.model("prod-coding").efforts == ("low", "high")
    assert (told.model("x").window, told.model("x").output, told.model("x").tool_search) == (400_000, 64_000, True)
    assert told.price == Price(2, 0.5, None, 8, long=False)


@cases(
    ("value", "right"),
    [
        ("opus", "name=model"),
        ("=x", "name=model"),
        ("opus=", "name=model"),
        ("opus~", "name=model"),
        (1, "a table of upstream models"),
        ({"opus": 1}, "a table of upstream models"),
        ({"opus": ""}, "a table of upstream models"),
        ({"opus": {}}, "a table of upstream models"),
        ({"a": {"windo": 1}}, "window"),
        ({"gpt-5": {"6": {"like": "gpt-5"}}}, "a name with dots in it stands in quotes"),
        ({"a": {"like": "gtp-5"}}, "such as gpt-5"),
        ({"a": {"like": 5}}, "a model that dragoman knows"),
        ({"a": {"window": 0}}, "for window of 'a', a whole number, 1 or more"),
        ({"a": {"efforts": ["hard"]}}, "a list of some of none, minimal"),
        ({"a": {"sampling": "often"}}, '"always"'),
        ({"a": {"price": 3}}, "dollars for a million tokens"),
        ({"a": {"price": {"input": 1}}}, "dollars for a million tokens"),
        ({"a": {"price": {"input": -1, "output": 1}}}, "dollars for a million tokens"),
    ],
)
def test_wrong_values_say_what_would_be_right(value: object, right: str) -> None:
    """The field, the model, and how to do it."""
    with pytest.raises(ValueError, match=r".") as caught:
        read_models(value)

    assert right in str(caught.value)


@pytest.mark.parametrize("word", ["opus", "default", "claude"])
def test_a_word_in_names_is_no_model(word: str) -> None:
    """What it is like tells nothing about which model it means."""
    with pytest.raises(ConfigurationError, match="say which one it means with upstream"):
        load({}, {"DRAGOMAN_MODELS": f"{word}~gpt-5"}, None)
