"""The models that are asked after a refusal: what may be said of them, and what each of them is asked."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stages import fallbacks
from tests.support.cases import cases

BODY = {
    "model": "a",
    "max_tokens": 100,
    "thinking": {"type": "adaptive"},
    "output_config": {"effort": "high", "format": {"type": "json_schema", "schema": {}}},
    "speed": "fast",
    "fallbacks": [{"model": "b"}],
}


@cases(
    ("asked", "complaint"),
    [
        (7, "fallbacks: Input should be 'default' or a valid list"),
        ("other", "fallbacks: Input should be 'default' or a valid list"),
        ([], "fallbacks: List should have at least 1 and at most 3 items after validation, not 0"),
        ([{"model": str(n)} for n in range(4)], "fallbacks: List should have at least 1 and at most 3 items"),
        (["b"], "fallbacks.0: Input should be a valid dictionary"),
        ([{}], "fallbacks.0.model: Field required"),
        ([{"model": " "}], "fallbacks.0.model: Input should be the name of a model"),
        ([{"model": ["b"]}], "fallbacks.0.model: Input should be the name of a model"),
        ([{"model": "b"}, {"model": "b"}], "fallbacks.1.model: each model can be named once"),
        ([{"model": "b", "top_k": 1}], "fallbacks.0.top_k: Extra inputs are not permitted"),
        ([{"model": "b", "max_tokens": 0}], "fallbacks.0.max_tokens: Input should be greater than or equal to 1"),
    ],
)
def test_what_is_wrong(asked: Any, complaint: str) -> None:
    """The first complaint names the place."""
    assert next(fallbacks.complaints(asked)).startswith(complaint)


@pytest.mark.parametrize("asked", [None, "default", [{"model": "b", "max_tokens": None, "thinking": None}]])
def test_what_is_right(asked: Any) -> None:
    """A null of an entry is a wish of its own."""
    assert not [*fallbacks.complaints(asked)]


@given(
    st.recursive(
        st.none() | st.integers() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
    )
)
def test_any_value_has_an_answer(asked: Any) -> None:
    """No value makes it fail, and what nothing is wrong with has entries that can be asked."""
    if not [*fallbacks.complaints(asked)]:
        assert all(fallbacks.asked_of(BODY, entry)["model"] for entry in fallbacks.chain(asked, "b"))


def test_the_servers_choice() -> None:
    """It is the setting's; without one there is none."""
    assert fallbacks.chain("default", "b") == [{"model": "b"}]
    assert fallbacks.chain("default", "") == fallbacks.chain(None, "b") == []


@pytest.mark.parametrize(
    ("entry", "changed"),
    [
        ({}, {}),
        ({"max_tokens": 7}, {"max_tokens": 7}),
        ({"max_tokens": None}, {}),
        ({"thinking": None, "speed": None}, {"thinking": None, "speed": None}),
        ({"thinking": {"type": "disabled"}}, {"thinking": {"type": "disabled"}}),
        ({"output_config": {"effort": "low"}}, {"output_config": {**BODY["output_config"], "effort": "low"}}),  # type: ignore[dict-item]
        ({"output_config": {"format": None}}, {"output_config": {"effort": "high"}}),
        ({"output_config": None}, {"output_config": None}),
    ],
)
def test_what_is_asked(entry: dict[str, Any], changed: dict[str, Any]) -> None:
    """All that the entry does not speak of is the request's; null is the model's own default."""
    expected = {name: value for name, value in {**BODY, "model": "b", **changed}.items() if value is not None}
    expected.pop("fallbacks")
    assert fallbacks.asked_of(BODY, {"model": "b", **entry}) == expected


def test_the_older_place_of_a_format() -> None:
    """Is left out with the newer one."""
    body = {"model": "a", "output_format": {"type": "json_schema"}}
    assert fallbacks.asked_of(body, {"model": "b"})["output_format"]
    assert "output_format" not in fallbacks.asked_of(body, {"model": "b", "output_config": {"format": None}})
    assert "output_format" not in fallbacks.asked_of(body, {"model": "b", "output_config": None})
