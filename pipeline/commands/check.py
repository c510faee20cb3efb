"""`dragoman check`: what is wrong with a setup, in words, and what to do about it."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from pipeline.commands import check_local, check_upstream, options
from pipeline.commands.findings import Finding, Verdict, fail, ok
from pipeline.commands.screen import Screen, screen
from pipeline.settings import ConfigurationError, Settings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipeline.commands.check_upstream import Reply

Named = tuple[str, Finding]
"""What was checked, in a word or two, and the finding."""

_OF_MACHINE: tuple[tuple[str, Callable[[], Finding]], ...] = (
    ("Python", check_local.python),
    ("token counts", check_local.tokenizer),
    ("Claude Code", check_local.claude_code),
)
_OF_SETTINGS: tuple[tuple[str, Callable[[Settings], Finding]], ...] = (
    ("key", check_upstream.key),
    ("port", check_local.port),
)
_OF_UPSTREAM: tuple[tuple[str, Callable[[Settings, Reply], Finding]], ...] = (
    ("upstream", check_upstream.reachable),
    ("server", check_upstream.server),
    ("models", check_upstream.models),
)
"""The checks, by what they need: nothing, right settings, or the upstream's answer as well."""

_STYLES: Mapping[Verdict, Callable[[Screen, str], str]] = {
    Verdict.OK: Screen.green,
    Verdict.WARN: Screen.yellow,
    Verdict.FAIL: Screen.red,
}


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments: those of the setup that is to be checked."""
    options.add_listening(parser)
    options.add_sources(parser)


def run(arguments: argparse.Namespace) -> int:
    """Check everything and show the findings as they come; return 1 if something does not work."""
    out, worst = screen(), 0
    for name, finding in findings(arguments):
        show(out, name, finding)
        worst |= finding.verdict is Verdict.FAIL
    out.line("Something does not work; see above." if worst else "Nothing stands in the way.")
    return int(worst)


def findings(arguments: argparse.Namespace) -> Iterator[Named]:
    """Check one thing after another. Where the settings are wrong, what depends on them is left out."""
    for name, machine in _OF_MACHINE:
        yield name, machine()
    try:
        settings = options.settings_of(arguments)
    except ConfigurationError as error:
        yield from (("settings", fail(mistake, "")) for mistake in error.mistakes)
        return
    yield "settings", ok(_source(arguments, settings))
    for name, of_settings in _OF_SETTINGS:
        yield name, of_settings(settings)
    reply = check_upstream.ask_models(settings)
    for name, of_upstream in _OF_UPSTREAM:
        yield name, of_upstream(settings, reply)


def show(out: Screen, name: str, finding: Finding) -> None:
    """Write one finding: verdict, name, sentence; the advice below it."""
    out.line(f"{_STYLES[finding.verdict](out, f'{finding.verdict.value:<4}')}  {name + ':':<13} {finding.text}")
    if finding.advice:
        out.line(f"{'':<20}-> {finding.advice}")


def _source(arguments: argparse.Namespace, settings: Settings) -> str:
    file = options.file_of(arguments)
    read = f"read from {file}" if file else "no configuration file; flags, environment and defaults"
    chosen = settings.upstream_chosen_by
    why = "since nothing was given" if chosen == "nothing was given" else f"chosen by {chosen}"
    return f"{read}; upstream {settings.upstream.url}, {why}"
