"""Ids and seals come from the request alone."""

from __future__ import annotations

import base64
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.emulator.ids import AnswerIds, seal_reasoning, unseal
from tests.pipeline.emulator.talk import asked, streamed


def test_a_seal_differs_at_every_stage() -> None:
    """`encrypted_content` is another when the item is added, when it is done, and in the final object."""
    told = streamed(asked("[[think]]", include=["reasoning.encrypted_content"]))

    items = [event["item"] for event in told if event.get("item", {}).get("type") == "reasoning"]
    seals = {item["encrypted_content"] for item in [*items, told[-1]["response"]["output"][0]]}
    assert len(seals) == 3


def test_delivery_makes_no_difference() -> None:
    """Streamed or not, the ids are the same; another word makes others."""
    assert AnswerIds.of(asked("a", stream=True)) == AnswerIds.of(asked("a")) != AnswerIds.of(asked("b"))


def test_ids_look_like_the_real_ones() -> None:
    """Prefix, length and shared beginning are as recorded."""
    ids = AnswerIds.of(asked("a"))

    assert re.fullmatch(r"resp_[0-9a-f]{50}", ids.response)
    assert re.fullmatch(r"call_[A-Za-z0-9]{24}", ids.call(0))
    assert ids.item("fc", 0)[3:19] == ids.response[5:21]
    assert len({ids.item("fc", index) for index in range(50)} | {ids.call(index) for index in range(50)}) == 100


@given(st.text(max_size=40))
def test_padding_hides_the_length(delta: str) -> None:
    """With its padding every delta is a multiple of sixteen characters long."""
    assert (len(delta) + len(AnswerIds(b"seed").padding(delta, 3))) % 16 == 0


@given(st.integers(0, 200), st.integers(1, 255))
def test_a_seal_is_known_until_it_is_changed(place: int, change: int) -> None:
    """The emulator reads the item's id from its own seal, and nothing from one that differs in a single byte."""
    sealed = seal_reasoning("rs_1", "done", 1_795_000_000)
    raw = bytearray(base64.urlsafe_b64decode(sealed))
    raw[place] ^= change

    assert sealed.startswith("gAAAA")
    assert unseal(sealed) == "rs_1"
    assert unseal(base64.urlsafe_b64encode(bytes(raw)).decode()) is None


@pytest.mark.parametrize("foreign", ["", "gAAAA", "\u00e9", "gAAAAABqaR3--2", "===="])
def test_foreign_seals_are_not_known(foreign: str) -> None:
    """What somebody else made is no error, only unknown."""
    assert unseal(foreign) is None
