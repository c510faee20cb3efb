"""What is asked before a client takes the screen."""

from __future__ import annotations

from pipeline.commands.findings import Verdict
from pipeline.commands.preflight import preflight
from pipeline.commands.question import Asked, Choice, Listed, Reply
from pipeline.settings import EMULATOR, Secret, Settings, UpstreamSettings
from stages.canonical.failure import Failure, Kind

_SETTINGS = Settings(upstream=UpstreamSettings(url="https://host.test/v1", api_key=Secret("k")))
_ALL = ("gpt-6.2-astra", "gpt-6.2-sol", "gpt-6-luna")
_MAIN, _ASIDE = ("claude-opus", "claude-sonnet"), ("claude-haiku",)


def _preflight(failures: dict[str, Failure], listed: Failure | None = None) -> list[tuple[Verdict, str]]:
    """Ask an upstream whose models, and whose list, fail so."""

    def ask(_settings: Settings, choose: Choice) -> Reply:
        return Reply(Listed(failure=listed), tuple(Asked(model, failures.get(model)) for model in choose(())))

    return [(each.verdict, f"{each.text} -> {each.advice}") for each in preflight(_SETTINGS, _MAIN, _ASIDE, ask)]


def test_all_is_well() -> None:
    """Then nothing is said; and the emulator is not asked at all."""
    assert _preflight({}) == []
    assert preflight(Settings(upstream=UpstreamSettings(url=EMULATOR)), _MAIN) == []


def test_a_model_used_on_the_side() -> None:
    """It is named, and is no reason not to begin; one that the conversation needs is."""
    missing = Failure(Kind.NOT_FOUND, "No.", cause="model_not_found")

    ((aside, said),) = _preflight({"gpt-6-luna": missing})
    ((main, _),) = _preflight({"gpt-6.2-sol": missing})

    assert (aside, main) == (Verdict.WARN, Verdict.FAIL)
    assert 'export DRAGOMAN_MODELS="haiku=<a model that it has>"' in said


def test_a_wrong_key_is_said_once() -> None:
    """However many models refuse it."""
    wrong = Failure(Kind.AUTHENTICATION, "No.", cause="invalid_api_key")

    found = _preflight(dict.fromkeys(_ALL, wrong))

    assert [verdict for verdict, _ in found] == [Verdict.FAIL]
    assert "does not accept the key (401, invalid_api_key) -> export DRAGOMAN_UPSTREAM_API_KEY=..." in found[0][1]


def test_what_all_suffer_from_is_said_once() -> None:
    """Of a network, an account: nothing of one model."""
    spent = Failure(Kind.QUOTA, "No.", cause="insufficient_quota")
    ((verdict, said),) = _preflight(dict.fromkeys(_ALL, spent))

    assert verdict is Verdict.FAIL
    assert said.startswith("the quota is used up")


def test_models_that_are_all_missing() -> None:
    """Are named at once, and so is the one line that sets others for all of them."""
    missing = Failure(Kind.NOT_FOUND, "No.", cause="model_not_found")
    ((verdict, said),) = _preflight(dict.fromkeys(_ALL, missing))

    assert verdict is Verdict.FAIL
    assert said.startswith("gpt-6.2-astra, gpt-6.2-sol, gpt-6-luna: the upstream has no such model")
    assert said.count("export DRAGOMAN_MODELS=") == 1


def test_an_address_of_something_else() -> None:
    """A server for people may answer a question with whatever status: where neither list nor model is, none begins."""
    page = Failure(Kind.UPSTREAM, "Unsupported method ('POST')")
    ((verdict, said),) = _preflight(dict.fromkeys(_ALL, page), listed=Failure(Kind.MISCONFIGURED, "No such page."))

    assert verdict is Verdict.FAIL
    assert "correct the address" in said


def test_a_server_that_is_busy() -> None:
    """Is no reason not to begin, since the client waits; a list that is not there is none either."""
    busy = Failure(Kind.OVERLOADED, "Busy.")
    assert all(verdict is Verdict.WARN for verdict, _ in _preflight(dict.fromkeys(_ALL, busy)))
    assert _preflight({}, listed=Failure(Kind.NOT_FOUND, "No list.")) == []
