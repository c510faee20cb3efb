"""`dragoman check`: what is wrong with a setup, in words, and what to do about it."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING

from pipeline.commands import check_local, check_upstream, options
from pipeline.commands.findings import Finding, Verdict, fail, ok
from pipeline.commands.question import ask_upstream
from pipeline.commands.screen import Screen, screen
from pipeline.commands.serve import who_chose
from pipeline.settings import ConfigurationError, Settings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipeline.commands.question import Reply

Named = tuple[str, Finding]
"""What was checked, in a word or two, and the finding."""

_OF_MACHINE: tuple[tuple[str, Callable[[], Finding]], ...] = (
    ("Python", check_local.python),
    ("token counts", check_local.tokenizer),
    ("Claude Code", check_local.claude_code),
)
_OF_UPSTREAM: tuple[tuple[str, Callable[[Settings, Reply], Finding]], ...] = (
    ("upstream", check_upstream.reachable),
    ("key", check_upstream.key),
    ("server", check_upstream.server),
)
"""The checks, by what they need: nothing, or the upstream's answers."""

_STYLES: Mapping[Verdict, Callable[[Screen, str], str]] = {
    Verdict.OK: Screen.green,
    Verdict.WARN: Screen.yellow,
    Verdict.UNKNOWN: Screen.dim,
    Verdict.FAIL: Screen.red,
}


_LAST: Mapping[Verdict, str] = {
    Verdict.FAIL: "Something does not work; see above.",
    Verdict.UNKNOWN: "Not everything could be looked at; see above.",
    Verdict.OK: "Nothing stands in the way.",
}
"""The last line, by the gravest of the findings."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments: those of the setup that is to be checked."""
    options.add_listening(parser)
    options.add_sources(parser)


def run(arguments: argparse.Namespace) -> int:
    """Check everything and show the findings as they come; return 1 if something does not work."""
    out, seen = screen(), set()
    for name, finding in findings(arguments):
        show(out, name, finding)
        seen.add(finding.verdict)
    out.line(next(text for verdict, text in _LAST.items() if verdict in seen or verdict is Verdict.OK))
    return int(Verdict.FAIL in seen)


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
    yield "port", check_local.port(settings)
    reply = ask_upstream(settings, partial(check_upstream.wanted_models, settings))
    for name, of_upstream in _OF_UPSTREAM:
        yield name, of_upstream(settings, reply)
    for finding in check_upstream.models(settings, reply):
        yield "model", finding


def show(out: Screen, name: str, finding: Finding) -> None:
    """Write one finding: verdict, name, sentence; the advice below it."""
    out.line(f"{_STYLES[finding.verdict](out, f'{finding.verdict.value:<4}')}  {name + ':':<13} {finding.text}")
    if finding.advice:
        out.line(f"{'':<20}-> {finding.advice}")


def _source(arguments: argparse.Namespace, settings: Settings) -> str:
    file = options.file_of(arguments)
    read = f"read from {file}" if file else "no configuration file; flags, environment and defaults"
    return f"{read}; upstream {settings.upstream.url}, {who_chose(settings)}"
