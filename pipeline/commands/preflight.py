"""What is asked before a client takes the screen: does the key open, do the models answer, is there quota left."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from pipeline.commands.check_upstream import key, model_finding, registry_of
from pipeline.commands.explained import finding_of
from pipeline.commands.findings import Finding, Verdict
from pipeline.commands.question import Asked, Choice, Reply, ask_upstream
from pipeline.settings import EMULATOR
from stages.canonical.failure import Failure, Kind

if TYPE_CHECKING:
    from pipeline.settings import Settings

Ask = Callable[["Settings", Choice], Reply]
"""Asks an upstream for its list, and each model that is chosen one question."""


def preflight(
    settings: Settings, names: Sequence[str], aside: Sequence[str] = (), ask: Ask = ask_upstream
) -> list[Finding]:
    """Ask the upstream once; return what would be in the way, gravest first. Empty where all is well.

    A model that is only used on the side is no reason not to begin.

    Args:
        settings: Of the proxy.
        names: The client's names of the models that it will use.
        aside: Names of models that it uses for small things.
        ask: Stands in for the upstream.
    """
    if settings.upstream.url == EMULATOR:
        return []

    def choose(served: Sequence[str]) -> list[str]:
        return list(_upstream(settings, served, (*names, *aside)))

    reply = ask(settings, choose)
    if (common := _common(reply)) is not None:
        return [finding_of(common, settings)]
    main = _upstream(settings, reply.listed.models, names)
    found = [_finding(settings, reply, each, grave=each.model in main) for each in reply.asked if each.failure]
    found = list({finding.text: finding for finding in found}.values())
    return sorted(found, key=lambda finding: finding.verdict is not Verdict.FAIL)


def _common(reply: Reply) -> Failure | None:
    """What is wrong with all that was asked, and so with no model: said once, and not of each.

    Where no model answers and the list is not there either, the list tells more: a page for people answers a question
    with whatever status.
    """
    failures, listed = reply.failures, reply.listed.failure
    if len(failures) < len(reply.asked):
        return None
    if listed is not None and listed.kind in _ELSEWHERE:
        return listed
    alike = len(failures) > 1 and len({(each.kind, each.cause) for each in failures}) == 1
    return failures[0] if alike and failures[0].kind in _OF_ALL else listed if not failures else None


_ELSEWHERE = (Kind.NOT_FOUND, Kind.MISCONFIGURED)
# What a list of models says that is none.
_OF_ALL = (Kind.QUOTA, Kind.BILLING, Kind.UNAVAILABLE, Kind.TIMEOUT, Kind.PERMISSION)
# What does not depend on the model.


def _upstream(settings: Settings, served: Sequence[str], names: Sequence[str]) -> dict[str, None]:
    """The upstream models behind names, each once."""
    registry = registry_of(settings, served)
    return dict.fromkeys(registry.upstream_model(name) for name in names)


def _finding(settings: Settings, reply: Reply, asked: Asked, *, grave: bool) -> Finding:
    by_key = key(settings, reply)
    if by_key.verdict is Verdict.FAIL:
        return by_key
    finding = model_finding(settings, reply, asked)
    verdict = finding.verdict if grave else Verdict.WARN
    return Finding(verdict, f"{asked.model}: {finding.text}", finding.advice)
