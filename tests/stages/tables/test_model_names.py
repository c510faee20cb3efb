"""Vendors, regions, versions and owners in a model's name are looked past."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stages.tables.model_names import LONGEST_NAME, REGIONS, STAGES, VENDORS, bare, is_fine_tune, undated
from stages.tables.models import MODELS, RELEASES, UNKNOWN_MODEL, model_info
from stages.tables.prices import price_of
from tests.support.cases import cases

KNOWN = st.sampled_from([release.id for release in RELEASES])
WORDS = st.sampled_from(sorted(VENDORS | REGIONS | STAGES))


@cases(
    ("name", "model"),
    [
        ("gpt-5", "gpt-5"),
        ("openai.gpt-6-astra", "gpt-6-astra"),
        ("us.openai.gpt-6-astra-v1:0", "gpt-6-astra"),
        ("global.openai.gpt-5.6-v1:0", "gpt-5.6"),
        ("us-gov-west-1.openai.gpt-5", "gpt-5"),
        ("arn:aws:bedrock:us-east-1:1:inference-profile/eu.openai.gpt-5.6-v1:0", "gpt-5.6"),
        ("openai/gpt-5.6", "gpt-5.6"),
        ("openai/gpt-5.6:free", "gpt-5.6"),
        ("azure-gpt-5", "gpt-5"),
        ("azure/eu/GPT-5", "gpt-5"),
        ("azure_gpt5", "gpt-5"),
        ("prod-gpt-5-mini-eu", "gpt-5-mini"),
        ("gpt-4o-2024-08-06", "gpt-4o-2024-08-06"),
        ("ft:gpt-5:org::id", "gpt-5"),
        ("ft:gpt-4.1-2025-04-14:acme:mine:abc", "gpt-4.1-2025-04-14"),
        ("qwen3-coder:30b", "qwen3-coder:30b"),
        ("databricks-gpt-5-2", "gpt-5.2"),
        ("gpt-5-2-codex-eastus2", "gpt-5.2-codex"),
        ("gpt_5.2_codex", "gpt-5.2-codex"),
        ("gpt-5-2025-08-07", "gpt-5-2025-08-07"),
        ("system.ai.gpt-5", "gpt-5"),
        ("gpt-5@azure", "gpt-5"),
        ("gpt-5 (azure)", "gpt-5"),
        ("us.openai.gpt-oss-120b-1:0", "gpt-oss-120b"),
        ("company-gpt-5-internal", "gpt-5"),
        ("gpt-5-east-us", "gpt-5"),
        ("eu-central-1.openai.o3", "o3"),
        ("openai", "openai"),
        ("-", "-"),
        ("", ""),
    ],
)
def test_what_a_name_is_about(name: str, model: str) -> None:
    """The model, in lower case, and nothing around it."""
    assert bare(name) == model


@given(
    KNOWN,
    st.lists(WORDS, max_size=4),
    st.lists(WORDS, max_size=2),
    st.sampled_from("-._"),
    st.sampled_from(["", "-v1:0"]),
)
def test_words_around_a_known_model_change_nothing(
    model: str, before: list[str], behind: list[str], sign: str, version: str
) -> None:
    """Any vendors, regions and stages, in any order, on both sides."""
    name = sign.join([*before, model, *behind]) + version

    assert bare(name) == model
    assert model_info(name) is model_info(model)
    assert price_of(name) == price_of(model)


@given(st.text(max_size=40))
def test_every_name_is_about_something(name: str) -> None:
    """Looking once is enough, and a name that is none stays one."""
    assert bare(bare(name)) == bare(name) or not bare(name)
    assert model_info(name) in (*MODELS, UNKNOWN_MODEL)


def test_a_name_that_no_model_has_is_not_looked_into() -> None:
    """So that a name of megabytes costs no more than reading it."""
    assert bare("US-" * LONGEST_NAME) == "us-" * LONGEST_NAME


@pytest.mark.parametrize("name", ["mygpt-5", "distilled-gpt-4o", "not-o3"])
def test_other_words_say_that_it_is_another_model(name: str) -> None:
    """What somebody has made of a model is not that model; the settings can say what it is like."""
    assert model_info(name) is UNKNOWN_MODEL


def test_fine_tunes_are_like_their_base_and_have_their_own_price() -> None:
    """The list has no price for them."""
    assert model_info("ft:gpt-4.1-2025-04-14:acme::1") is model_info("gpt-4.1")
    assert is_fine_tune("ft:gpt-4.1:acme::1")
    assert price_of("ft:gpt-4.1:acme::1") is None


@pytest.mark.parametrize("name", ["gpt-5-2025-08-07", "gpt-5@2025-08-07", "gpt-5-20250807"])
def test_dates(name: str) -> None:
    """A snapshot costs what its model does."""
    assert undated(name) == "gpt-5"
    assert price_of(name) == price_of("gpt-5")
