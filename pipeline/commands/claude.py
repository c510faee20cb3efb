"""`dragoman claude`: Claude Code through the proxy, with the environment it needs."""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from pipeline.commands import options
from pipeline.commands.client_environment import (
    BASE_URL,
    LEAST_COMPACT_WINDOW,
    MODEL_ROWS,
    TOKEN,
    USUAL,
    USUAL_ASIDE,
    client_environment,
    context_window,
    model_of,
    own_token,
    window_variables,
)
from pipeline.commands.findings import Verdict
from pipeline.commands.preflight import preflight
from pipeline.commands.probe import Answerer, ProbeResult, look
from pipeline.commands.proxy import Proxy, proxy
from pipeline.commands.screen import CommandError, complain
from pipeline.commands.serve import upstream_in_words
from pipeline.commands.statusline import handed_over
from pipeline.commands.told_models import ToldModel, told_models
from pipeline.settings import is_loopback
from pipeline.settings.ownership import own_secret
from stages.tables.models import UNKNOWN_MODEL, model_info

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pipeline.settings import Secret, Settings

PROGRAM = "DRAGOMAN_CLAUDE"
"""The variable that names the client's program, where it is not the `claude` of the path."""

INSTALL = "npm install -g @anthropic-ai/claude-code"
"""How Claude Code is installed."""

_WITH_VALUE = frozenset({"--host", "--port", "--upstream", "--config", "--proxy"})
_ALONE = frozenset({"-h", "--help", "--no-check"})
_SIGNALLED = 128
_WELL = frozenset({0, _SIGNALLED + signal.SIGINT, _SIGNALLED + signal.SIGTERM})
# Exit codes of a client that ended as its user wished.


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    options.add_listening(parser)
    options.add_sources(parser)
    parser.add_argument("--proxy", metavar="URL", help="use the dragoman that runs there, whoever runs it; start none")
    parser.add_argument("--no-check", action="store_true", help="do not ask the upstream before the client starts")
    parser.usage = (
        "dragoman claude [--host ADDRESS] [--port N] [--upstream URL|emulator] [--config FILE] [--proxy URL]"
        " [--no-check] [ARGS...]"
    )
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
    """Run the client in the foreground; return its exit code, or 1 where it would have nobody to answer it."""
    client = find_client(os.environ)
    settings = options.settings_of(arguments)
    own_secret(os.environ, make=True)
    key = _key(arguments, settings)
    if named := arguments.proxy or running_elsewhere():
        behind = look(named) if arguments.no_check else _dragoman_at(named)
        said = "--proxy" if arguments.proxy else BASE_URL
        complain(f"dragoman: upstream: {behind.upstream or 'unknown'}, by the word of the proxy")
        complain(f"dragoman: proxy {named}, named by {said}")
        return _run_at(Proxy(named, ""), client, arguments.others, key or own_token(os.environ), settings)
    complain(f"dragoman: upstream: {upstream_in_words(settings)}")
    if not arguments.no_check and not _answers(settings, model_of(arguments.others, os.environ)):
        return 1
    with proxy(settings, options.given_again(arguments)) as found:
        log = f" (log: {found.log})" if found.log else ""
        complain(f"dragoman: proxy {found.base_url}, {found.how}{log}")
        return _run_at(found, client, arguments.others, key, settings)


def _dragoman_at(url: str) -> ProbeResult:
    """Look who answers at an address that somebody has named.

    Raises:
        CommandError: When that is no dragoman; with what to do.
    """
    if urlsplit(url).scheme not in ("http", "https"):
        raise CommandError(f"--proxy takes a URL with http:// or https:// before it; perhaps --proxy https://{url}")
    found = look(url)
    if found.answerer is Answerer.NOBODY:
        raise CommandError(f"nobody answers at {url}: {found.why}\n  -> start one there, or leave --proxy out")
    if found.answerer is Answerer.SOMEBODY_ELSE:
        raise CommandError(f"what answers at {url} is no dragoman (/healthz)\n  -> --no-check uses it all the same")
    return found


def _answers(settings: Settings, chosen: str | None) -> bool:
    """Ask the upstream before the client takes the screen; say what is missing, and whether it is worth to begin."""
    findings = preflight(settings, *(([chosen], ()) if chosen else (USUAL, USUAL_ASIDE)))
    for finding in findings:
        complain(f"dragoman: {finding.text}")
        if finding.advice:
            complain(f"  -> {finding.advice}")
    in_the_way = any(finding.verdict is Verdict.FAIL for finding in findings)
    if in_the_way:
        complain("dragoman: Claude Code was not started; `dragoman check` looks at everything, --no-check at nothing")
    return not in_the_way


def _run_at(found: Proxy, client: str, words: list[str], key: str | None, settings: Settings) -> int:
    """Run the client at a dragoman, with the window and the models that this one tells."""
    chosen = model_of(words, os.environ)
    told = told_models(found.base_url, [*([chosen] if chosen else []), *MODEL_ROWS], key)
    used = [told[name] for name in ([chosen] if chosen else USUAL) if name in told]
    window = _window(used, context_window(settings, chosen))
    if chosen is None and used and window < LEAST_COMPACT_WINDOW:
        words = ["--model", f"claude-{used[-1].upstream}", *words]
    behind = {name: told[name].upstream for name in MODEL_ROWS if name in told}
    words = [*handed_over(words, os.environ, Path.cwd(), found.base_url), *words]
    _say_models(behind if chosen is None else {chosen: used[0].upstream} if used else {}, window)
    judged = bool(settings.safeguards.model)
    environment = client_environment(os.environ, found.base_url, key, window, behind, judged=judged)
    code = in_the_foreground(client, words, environment)
    if code not in _WELL and found.log:
        complain(f"dragoman: the client ended with {code}; what the proxy has logged: {found.log}")
    return code


def _say_models(behind: Mapping[str, str], window: int) -> None:
    pairs = ", ".join(f"{name.removeprefix('claude-')} is {model}" for name, model in behind.items())
    told = " ".join(f"{name}={os.environ.get(name) or value}" for name, value in window_variables(window).items())
    complain(f"dragoman: {pairs or 'models unknown'}; {told}")


def _window(told: Sequence[ToldModel], cautious: int) -> int:
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

    Raises:
        CommandError: When the system cannot run such a program.
    """
    ours = {each: signal.signal(each, lambda *_: None) for each in (signal.SIGINT, signal.SIGQUIT)}
    try:
        with subprocess.Popen([client, *words], env=dict(environment)) as process:  # noqa: S603 - the user's own client
            ours[signal.SIGTERM] = signal.signal(signal.SIGTERM, lambda *_: process.terminate())
            code = process.wait()
    except OSError as error:
        raise CommandError(f"{client} cannot be run: {error.strerror}\n  -> install it again: {INSTALL}") from None
    finally:
        for each, handler in ours.items():
            signal.signal(each, handler)
    return code if code >= 0 else _SIGNALLED - code


def _key(arguments: argparse.Namespace, settings: Settings) -> str | None:
    """A key that the proxy takes: one of the settings', or the user's own; None where none is asked for.

    Raises:
        CommandError: When keys are asked for, and nobody here has one.
    """
    from pipeline.settings import plain_client_key
    from pipeline.settings.client_keys import key_of

    plain: Secret | None = plain_client_key(options.flags_of(arguments), os.environ, options.file_of(arguments))
    key = plain.reveal() if plain else None
    own = own_token(os.environ)
    if own and key_of(settings.client_keys, {"x-api-key": own}):
        key = own
    if settings.client_keys and key is None and not (arguments.proxy or os.environ.get(BASE_URL)):
        raise CommandError(f"the settings keep client keys as hashes alone; put your own key into {TOKEN}")
    return key


def running_elsewhere() -> str | None:
    """Return the user's own base URL if a dragoman answers there that may be used; say so if it will be set aside.

    On this machine anybody may listen, so there it must prove that it is the user's.
    """
    theirs = os.environ.get(BASE_URL)
    if not theirs:
        return None
    found = look(theirs)
    if found.answerer is Answerer.DRAGOMAN and (found.own or not is_loopback(urlsplit(theirs).hostname or "")):
        return theirs
    if found.answerer is Answerer.DRAGOMAN:
        complain(
            f"dragoman: the dragoman at {theirs} ({BASE_URL}) is not known to be yours; for this run it is replaced"
        )
        complain(f"  -> to use it all the same: dragoman claude --proxy {theirs}")
    else:
        complain(f"dragoman: no dragoman answers at {theirs} ({BASE_URL}); for this run it is replaced")
    return None
