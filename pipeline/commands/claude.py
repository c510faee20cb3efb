"""`dragoman claude`: Claude Code through the proxy, with the environment it needs."""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import subprocess
from typing import TYPE_CHECKING

from pipeline.commands import options
from pipeline.commands.client_environment import (
    BASE_URL,
    LEAST_COMPACT_WINDOW,
    USUAL,
    client_environment,
    context_window,
    model_of,
)
from pipeline.commands.probe import Answerer, who_answers
from pipeline.commands.proxy import proxy
from pipeline.commands.screen import CommandError, complain
from pipeline.commands.told_models import Told, told_models
from stages.tables.models import UNKNOWN_MODEL, model_info

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipeline.settings import Secret, Settings

PROGRAM = "DRAGOMAN_CLAUDE"
"""The variable that names the client's program, where it is not the `claude` of the path."""

INSTALL = "npm install -g @anthropic-ai/claude-code"
"""How Claude Code is installed."""

_WITH_VALUE = frozenset({"--host", "--port", "--upstream", "--config"})
_ALONE = frozenset({"-h", "--help"})
_SIGNALLED = 128


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    options.add_listening(parser)
    options.add_sources(parser)
    parser.usage = "dragoman claude [--host ADDRESS] [--port N] [--upstream URL|emulator] [--config FILE] [ARGS...]"
    parser.epilog = (
        "ARGS go to Claude Code as they are, from the first that is none of the above, or from the one after `--`."
    )
    parser.set_defaults(split=split_arguments)


def split_arguments(words: list[str]) -> tuple[list[str], list[str]]:
    """Part our own arguments from the client's, which begin with the first word that is not ours.

    Only leading words are ours: `-p "--port 3"` is what somebody says to the model.
    """
    at = 0
    while at < len(words):
        name, equals, _ = words[at].partition("=")
        if name == "--":
            return words[:at], words[at + 1 :]
        if name not in _WITH_VALUE | _ALONE:
            break
        at += 2 if name in _WITH_VALUE and not equals else 1
    return words[:at], words[at:]


def run(arguments: argparse.Namespace) -> int:
    """Run the client in the foreground; return its exit code."""
    client = find_client(os.environ)
    settings = options.settings_of(arguments)
    key = _key(arguments)
    own_settings = arguments.upstream is not None or arguments.config is not None
    if not own_settings and (running := running_elsewhere()):
        return _run_at(running, client, arguments.others, key, settings)
    if settings.upstream_chosen_by == "nothing was given":
        complain("dragoman: no key: answering from the built-in emulator, not from a model (set OPENAI_API_KEY)")
    with proxy(settings, options.given_again(arguments), reuse=not own_settings) as base_url:
        return _run_at(base_url, client, arguments.others, key, settings)


def _run_at(base_url: str, client: str, words: list[str], key: str | None, settings: Settings) -> int:
    """Run the client at a dragoman, with the window that this one tells."""
    chosen = model_of(words, os.environ)
    told = told_models(base_url, [chosen] if chosen else USUAL, key)
    window = _window(told, context_window(settings, chosen))
    if chosen is None and told and window < LEAST_COMPACT_WINDOW:
        words = ["--model", f"claude-{told[-1].upstream}", *words]
    return in_the_foreground(client, words, client_environment(os.environ, base_url, key, window))


def _window(told: list[Told], cautious: int) -> int:
    """Choose the smallest window; what the tables say of a model is believed as far as `cautious` alone."""
    sizes = [(each.window, model_info(each.upstream) is UNKNOWN_MODEL) for each in told]
    return min((size if sure else min(size, cautious) for size, sure in sizes if size is not None), default=cautious)


def find_client(environment: Mapping[str, str]) -> str:
    """Return the path of the client's program.

    Raises:
        CommandError: With how to install it.
    """
    named = environment.get(PROGRAM) or "claude"
    if found := shutil.which(named, path=environment.get("PATH")):
        return found
    if environment.get(PROGRAM):
        raise CommandError(f"{PROGRAM} names {named}, which is no program that can be run")
    raise CommandError(f"Claude Code is not installed: there is no `claude` in PATH. Install it with: {INSTALL}")


def in_the_foreground(client: str, words: list[str], environment: Mapping[str, str]) -> int:
    """Run the client on our terminal and return its exit code, as a shell would.

    The client shares our process group, so the terminal's signals reach it directly; we only must not die of them
    first. They are caught and not ignored, because a program inherits what is ignored.
    """
    ours = {each: signal.signal(each, lambda *_: None) for each in (signal.SIGINT, signal.SIGQUIT)}
    try:
        with subprocess.Popen([client, *words], env=dict(environment)) as process:  # noqa: S603 - the user's own client
            ours[signal.SIGTERM] = signal.signal(signal.SIGTERM, lambda *_: process.terminate())
            code = process.wait()
    finally:
        for each, handler in ours.items():
            signal.signal(each, handler)
    return code if code >= 0 else _SIGNALLED - code


def _key(arguments: argparse.Namespace) -> str | None:
    from pipeline.settings import plain_client_key

    key: Secret | None = plain_client_key(options.flags_of(arguments), os.environ, options.file_of(arguments))
    return key.reveal() if key else None


def running_elsewhere() -> str | None:
    """Return the user's own base URL if a dragoman answers there; say so if it will be set aside."""
    theirs = os.environ.get(BASE_URL)
    if not theirs:
        return None
    if who_answers(theirs) is Answerer.DRAGOMAN:
        return theirs
    complain(f"dragoman: no dragoman answers at {BASE_URL}; for this run it is replaced")
    return None
