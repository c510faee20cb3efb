"""The catalogue of models: the SDK's types take it, it tells the truth, and it can be paged through."""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path
from typing import Any

import pytest
from anthropic.types import ModelInfo
from anthropic.types.beta import BetaModelInfo

from pipeline.endpoints import models
from stages.canonical.failure import Failure, Kind
from stages.tables.model_registry import ModelRegistry
from stages.tables.models import MODELS, RELEASES, model_info, upstream_model
from tests.support.cases import cases

CONFIGURED = {"my-claude": "gpt-5.4", "local": "llama-3", "opus": "gpt-6-sol", "default": "gpt-6-luna"}


def listed(configured: dict[str, str] | None = None, **query: str) -> dict[str, Any]:
    """Ask for a page; it must be one."""
    page = models.models_page({name: [value] for name, value in query.items()}, ModelRegistry(configured or {}))
    assert isinstance(page, dict)
    return page


def refused(**query: list[str]) -> str:
    """Ask for a page that must be refused, and return why."""
    failure = models.models_page(query, ModelRegistry())
    assert isinstance(failure, Failure)
    assert failure.kind is Kind.INVALID_REQUEST
    return failure.message


def found(model_id: str, configured: dict[str, str] | None = None) -> dict[str, Any]:
    """Ask for a model that must be there."""
    model = models.one(model_id, ModelRegistry(configured or {}))
    assert isinstance(model, dict)
    return model


def every(configured: dict[str, str] | None = None) -> list[dict[str, Any]]:
    """List all models."""
    return list(listed(configured, limit="1000")["data"])


@pytest.mark.parametrize("kind", [ModelInfo, BetaModelInfo])
def test_the_sdk_takes_every_model_with_every_key(kind: type[ModelInfo | BetaModelInfo]) -> None:
    """Strictly validated, no key of the type is absent, down to the leaves of the capabilities."""
    for model in every(CONFIGURED):
        parsed = kind.model_validate_json(json.dumps(model), strict=True)
        unset = [name for name in kind.model_fields if name not in parsed.model_fields_set]
        assert unset == []
        assert_whole(parsed.capabilities)


def assert_whole(value: Any) -> None:
    """Check that every field of a parsed tree was given."""
    for name in type(value).model_fields:
        assert name in value.model_fields_set, name
        inner = getattr(value, name)
        if not isinstance(inner, bool):
            assert_whole(inner)


def test_the_house_checker_is_content(shared: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages and single models are bodies that Anthropic could have sent."""
    monkeypatch.syspath_prepend(str(shared / "tools"))
    checker = importlib.import_module("check_body")
    try:
        bodies = [listed(CONFIGURED), listed(CONFIGURED, limit="3"), *every(CONFIGURED), found("claude-opus-4-1")]
        assert [checker.check(body, 200) for body in bodies] == [[]] * len(bodies)
    finally:
        for name in ("check_body", "check_stream"):
            sys.modules.pop(name, None)


def test_claude_code_would_show_all_but_configured_odd_names() -> None:
    """Every id of ours has `claude` in it, since others are dropped by the client; ids are there once."""
    ids = [model["id"] for model in every()]

    assert all("claude" in ident for ident in ids)
    assert len(ids) == len(set(ids))


def test_every_id_leads_to_the_model_it_names() -> None:
    """What is listed can be asked for: the alias resolves to its release, and the title names who answers."""
    for release in RELEASES:
        model = found(f"claude-{release.id}")
        assert upstream_model(model["id"]) == release.id == model["display_name"]
    assert [found(name)["display_name"] for name in models.TODAY] == [
        "Fable (gpt-6.2-astra)",
        "Opus (gpt-6.2-astra)",
        "Sonnet (gpt-6.2-sol)",
        "Haiku (gpt-6-luna)",
    ]


def test_every_known_family_is_listed() -> None:
    """Each family of the table has a release in the list, but for the `o` models, which are gone."""
    families = {model_info(release.id).prefix for release in RELEASES}

    assert families >= {model.prefix for model in MODELS} - {"o"}


def test_configured_names() -> None:
    """Names of the settings are listed with what answers; keywords change what the known names lead to."""
    titles = {model["id"]: model["display_name"] for model in every(CONFIGURED)}

    assert titles["my-claude"] == "my-claude (gpt-5.4)"
    assert titles["local"] == "local (llama-3)"
    assert titles["claude-opus-5-5"] == "Opus (gpt-6-sol)"
    assert "opus" not in titles
    assert "default" not in titles


def test_capabilities_are_those_of_the_tables() -> None:
    """Efforts, window and output come from the model that answers."""
    astra, old = found("claude-fable-5-2"), found("claude-gpt-4.1")
    efforts = {name: leaf["supported"] for name, leaf in astra["capabilities"]["effort"].items() if name != "supported"}

    assert efforts == {"low": True, "medium": True, "high": True, "xhigh": True, "max": False}
    assert (astra["max_input_tokens"], astra["max_tokens"], astra["line"]) == (922_000, 128_000, "fable")
    assert (old["max_input_tokens"], old["max_tokens"], old["line"]) == (1_047_576, 32_768, None)
    assert not old["capabilities"]["effort"]["supported"]
    assert not old["capabilities"]["thinking"]["types"]["enabled"]["supported"]
    assert old["capabilities"]["thinking"]["types"]["disabled"]["supported"]


def test_servers_of_their_own_run_no_tools() -> None:
    """OpenAI's models search and run code; of a model that no table knows, nobody can say so."""
    for name, runs in (("claude-fable-5-2", True), ("local", False)):
        told = found(name, CONFIGURED)["capabilities"]
        leaf = {"supported": runs}
        assert told["server_tools"] == {**leaf, "code_execution": leaf, "web_search": leaf}
        assert told["code_execution"] == leaf


@cases(
    ("name", "window", "output"),
    [
        ("gpt-6.2-sol", 922_000, 128_000),
        ("gpt-6-luna", 922_000, 128_000),
        ("gpt-5.6-terra", 922_000, 128_000),
        ("gpt-5.5", 922_000, 128_000),
        ("gpt-5.4", 922_000, 128_000),
        ("gpt-5.4-mini", 272_000, 128_000),
        ("gpt-5.4-nano", 272_000, 128_000),
        ("gpt-5.3-codex", 272_000, 128_000),
        ("gpt-5.2", 272_000, 128_000),
        ("gpt-5.1", 272_000, 128_000),
        ("gpt-5-mini", 272_000, 128_000),
        ("gpt-4.1", 1_047_576, 32_768),
        ("gpt-4o", 128_000, 16_384),
    ],
)
def test_windows_are_those_that_the_vendor_publishes(name: str, window: int, output: int) -> None:
    """1,050,000 tokens are 922,000 in and 128,000 out, 400,000 are 272,000 in; older models share one window."""
    model = found(f"claude-{name}")

    assert (model["max_input_tokens"], model["max_tokens"]) == (window, output)


def test_a_window_that_nobody_knows_is_null() -> None:
    """A model of some other server has limits of its own, and a made-up number would make clients compact too early."""
    local = found("local", CONFIGURED)

    assert (local["max_input_tokens"], local["max_tokens"]) == (None, None)


def test_a_model_that_will_be_switched_off_says_so() -> None:
    """An announced end makes a model deprecated, with the day."""
    model = found("claude-gpt-5")

    assert (model["lifecycle"], model["retires_at"]) == ("deprecated", "2026-12-11T00:00:00Z")
    assert (found("gpt-6.2-sol")["lifecycle"], found("gpt-6.2-sol")["retires_at"]) == ("active", None)


@pytest.mark.parametrize("name", ["claude-3-opus-20240229", "anthropic/claude-sonnet-5", "gpt-5.4-2026-03-05", "local"])
def test_any_name_that_would_be_answered_is_found(name: str) -> None:
    """A client may look up what it is about to ask for, listed or not; it gets the id it asked for."""
    assert found(name, CONFIGURED)["id"] == name


@pytest.mark.parametrize("name", ["", "no-such-model"])
def test_an_unknown_model(name: str) -> None:
    """What nothing is known about is a 404 in Anthropic's words."""
    failure = models.one(name, ModelRegistry({"local": "llama-3"}))

    assert failure == Failure(Kind.NOT_FOUND, f"model: {name}")


def test_a_page_has_twenty() -> None:
    """Without `limit` a page has 20 models, and says that there are more."""
    page = listed()

    assert len(page["data"]) == 20
    assert page["has_more"] is True
    assert (page["first_id"], page["last_id"]) == (page["data"][0]["id"], page["data"][-1]["id"])


@pytest.mark.parametrize("limit", [1, 3, 20, 1000])
def test_paging_forwards_sees_each_model_once(limit: int) -> None:
    """Following `last_id` while there is more gives the whole list in order."""
    seen: list[str] = []
    page = listed(limit=str(limit))
    seen += [model["id"] for model in page["data"]]
    while page["has_more"]:
        page = listed(limit=str(limit), after_id=page["last_id"])
        seen += [model["id"] for model in page["data"]]

    assert seen == [model["id"] for model in every()]


def test_paging_backwards_sees_each_model_once() -> None:
    """Following `first_id` with `before_id` leads back to the beginning."""
    ids = [model["id"] for model in every()]
    page = listed(limit="4", before_id=ids[-1])
    seen = [model["id"] for model in page["data"]]
    while page["has_more"]:
        page = listed(limit="4", before_id=page["first_id"])
        seen = [model["id"] for model in page["data"]] + seen

    assert seen == ids[:-1]


def test_behind_the_last_there_is_nothing() -> None:
    """An empty page has no cursors."""
    page = listed(after_id=every()[-1]["id"])

    assert page == {"data": [], "has_more": False, "first_id": None, "last_id": None}


@pytest.mark.parametrize("name", ["lifecycle", "lifecycle[]"])
def test_lifecycles(name: str) -> None:
    """`lifecycle` filters, repeated or not; none of ours is retired."""
    active = models.models_page({name: ["active"], "limit": ["1000"]}, ModelRegistry())
    both = models.models_page({name: ["active", "deprecated"], "limit": ["1000"]}, ModelRegistry())
    retired = models.models_page({name: ["retired"]}, ModelRegistry())

    assert isinstance(active, dict)
    assert {model["lifecycle"] for model in active["data"]} == {"active"}
    assert both == listed(limit="1000")
    assert isinstance(retired, dict)
    assert retired["data"] == []


@pytest.mark.parametrize(
    ("query", "complaint"),
    [
        ({"limit": ["0"]}, "limit: Input should be greater than or equal to 1"),
        ({"limit": ["-5"]}, "limit: Input should be greater than or equal to 1"),
        ({"limit": ["1001"]}, "limit: Input should be less than or equal to 1000"),
        ({"limit": ["many"]}, "limit: Input should be a valid integer, unable to parse string as an integer"),
        ({"after_id": ["nobody"]}, "after_id: no model has this id"),
        ({"before_id": ["nobody"]}, "before_id: no model has this id"),
        ({"after_id": ["a"], "before_id": ["b"]}, "after_id: cannot be given together with before_id"),
        ({"lifecycle": ["young"]}, "lifecycle: Input should be 'active', 'deprecated' or 'retired'"),
    ],
)
def test_wrong_parameters(query: dict[str, list[str]], complaint: str) -> None:
    """A parameter that makes no sense is a 400 that names it."""
    assert refused(**query) == complaint


def test_other_parameters_are_ignored() -> None:
    """`beta=true`, which every Claude Code request carries, and an empty cursor change nothing."""
    assert models.models_page({"beta": ["true"], "after_id": [""]}, ModelRegistry()) == listed()
