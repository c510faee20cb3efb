"""What is asked before a client takes the screen: does the key open, do the models answer, is there quota left."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from pipeline.commands.check_upstream import key, missing_finding, registry_of
from pipeline.commands.common_reasons import common_reason, missing_models
from pipeline.commands.explained import finding_of
from pipeline.commands.findings import Finding, Verdict
from pipeline.commands.question import Choice, Reply, ask_upstream
from pipeline.settings import EMULATOR

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
    if (common := common_reason(reply)) is not None:
        return [finding_of(common, settings)]
    main = _upstream(settings, reply.listed.models, names)
    found = [*_missing(settings, reply, main), *_others(settings, reply, main)]
    return sorted(dict.fromkeys(found), key=lambda finding: finding.verdict is not Verdict.FAIL)


def _upstream(settings: Settings, served: Sequence[str], names: Sequence[str]) -> dict[str, None]:
    """The upstream models behind names, each once."""
    registry = registry_of(settings, served)
    return dict.fromkeys(registry.upstream_model(name) for name in names)


def _missing(settings: Settings, reply: Reply, main: dict[str, None]) -> list[Finding]:
    """All models that are missing at once, for one line sets them all."""
    missing = missing_models(reply)
    if not missing:
        return []
    finding = missing_finding(settings, reply)
    return [Finding(_gravity(finding, missing, main), f"{', '.join(missing)}: {finding.text}", finding.advice)]


def _others(settings: Settings, reply: Reply, main: dict[str, None]) -> list[Finding]:
    found, missing = [], missing_models(reply)
    for asked in reply.asked:
        if asked.failure is None or asked.model in missing:
            continue
        by_key = key(settings, reply)
        if by_key.verdict is Verdict.FAIL:
            return [by_key]
        finding = finding_of(asked.failure, settings)
        text = f"{asked.model}: {finding.text}"
        found.append(Finding(_gravity(finding, [asked.model], main), text, finding.advice))
    return found


def _gravity(finding: Finding, models: Sequence[str], main: dict[str, None]) -> Verdict:
    return finding.verdict if not main.keys().isdisjoint(models) else Verdict.WARN
