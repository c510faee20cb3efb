"""`dragoman serve`: the proxy, in one process or several."""

from __future__ import annotations

import argparse
import os
import socket
import sys
from functools import partial
from typing import TYPE_CHECKING

from pipeline.commands import options
from pipeline.commands.client_environment import LEAST_COMPACT_WINDOW, USUAL, context_window, window_variables
from pipeline.commands.listening import bind, url_of
from pipeline.commands.screen import CommandError, Screen, screen
from pipeline.lifecycle.grace import grace_here
from pipeline.lifecycle.signals import ignore_others
from pipeline.settings import ConfigurationError, given
from pipeline.telemetry import names
from pipeline.telemetry.logs import make_logger
from pipeline.upstream.address import base_url
from stages.tables.model_registry import ModelRegistry

if TYPE_CHECKING:
    from pipeline.settings import Settings
    from pipeline.workers import WorkerSettings

WRONG_SETTINGS = 2
"""Exit code for settings that are wrong, as everywhere in `cli`."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    options.add_listening(parser)
    options.add_sources(parser)
    parser.add_argument("--workers", metavar="N", help="processes that share the port (1)")
    parser.add_argument("--log-format", metavar="console|json", help="logs for people or for machines (console)")
    # What a parent process hands down: a listening socket, and one that leads to it.
    parser.add_argument("--fd", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--reports-fd", type=int, help=argparse.SUPPRESS)


def run(arguments: argparse.Namespace) -> int:
    """Serve until SIGTERM or SIGINT; return the exit code.

    Raises:
        ConfigurationError, CommandError: What is wrong, for people; where logs are for machines, a line says it.
    """
    try:
        return _run(arguments)
    except (ConfigurationError, CommandError) as error:
        if not _for_machines(arguments):
            raise
        wrong = isinstance(error, ConfigurationError)
        why = "; ".join(error.mistakes) if isinstance(error, ConfigurationError) else str(error)
        make_logger("json", "info").error(names.NOT_STARTED, why=why)
        return WRONG_SETTINGS if wrong else 1


def _run(arguments: argparse.Namespace) -> int:
    ignore_others()
    settings = options.settings_of(arguments)
    if arguments.fd is not None:
        return _serve_for_parent(settings, arguments.fd, arguments.reports_fd)
    with bind(settings.host, settings.port) as listener:
        url = url_of(listener, tls=bool(settings.certfile))  # now: the server takes the socket over
        out = None if settings.log_format == "json" else screen(sys.stdout)  # machines read the log, and nothing else
        if settings.workers > 1:
            from pipeline.named_upstream import target_now
            from pipeline.workers import run_workers

            if out is not None:
                announce(out, settings, url, target_now(settings).models)
            return run_workers(partial(_given, arguments), _given(arguments), listener, url)
        from pipeline import serving

        def ready(_: str, registry: ModelRegistry) -> None:
            if out is not None:
                announce(out, settings, url, registry)

        serving.serve(settings, [listener], serving.Surroundings(partial(options.settings_of, arguments), ready))
    return 0


def _given(arguments: argparse.Namespace) -> WorkerSettings:
    from pipeline.workers import WorkerSettings

    return WorkerSettings(options.settings_of(arguments), options.set_again(arguments), options.file_text(arguments))


def _serve_for_parent(settings: Settings, descriptor: int, reports: int | None) -> int:
    from pipeline import serving
    from pipeline.lifecycle.parent import hear_parent, say_serving

    grace = grace_here(settings.timing)
    around = serving.Surroundings(
        ready=lambda _, __: say_serving(),
        parent=lambda shutdown: hear_parent(shutdown, grace),
        reports=None if reports is None else socket.socket(fileno=reports),
    )
    serving.serve(settings, [socket.socket(fileno=descriptor)], around)
    return 0


def _for_machines(arguments: argparse.Namespace) -> bool:
    """Tell whether the log is for machines, also where the settings are wrong otherwise."""
    found = given(options.flags_of(arguments), os.environ, options.file_of(arguments)).get("log_format")
    return found is not None and str(found.value).lower() == "json"


def announce(out: Screen, settings: Settings, url: str, registry: ModelRegistry | None = None) -> None:
    """Say where the proxy listens, what it answers from, and how to run Claude Code against it.

    A window that is too small for the client to believe in under a name that it knows comes with another name.
    """
    window = context_window(settings, None, registry)
    told = " ".join(f"{name}={value}" for name, value in window_variables(window).items())
    registry = registry or ModelRegistry.of(settings.models)
    model = f" --model claude-{registry.upstream_model(USUAL[-1])}" if window < LEAST_COMPACT_WINDOW else ""
    out.line(f"dragoman listens on {out.bold(url)}")
    out.line(f"upstream: {upstream_in_words(settings)}")
    if settings.workers > 1:
        out.line(f"workers:  {settings.workers}")
    out.line("Run Claude Code against it:")
    out.line(f"  export ANTHROPIC_BASE_URL={url} ANTHROPIC_AUTH_TOKEN={_token(settings)}")
    check = "" if settings.safeguards.model else "CLAUDE_CODE_AUTO_MODE_SERVER=0 "
    out.line(f"  {told} {check}claude{model}")


def upstream_in_words(settings: Settings) -> str:
    """Say what answers, who chose it, and whether a key goes with it; never the key."""
    chosen, upstream = settings.upstream_chosen_by, settings.upstream
    if upstream.url == "emulator" and chosen == "nothing was given":
        return "no key: answering from the built-in emulator, not from a model (set OPENAI_API_KEY, or --upstream URL)"
    if upstream.url == "emulator":
        return f"the built-in emulator, not a model ({who_chose(settings)})"
    ways = {"": upstream.api_key, " from a file": upstream.api_key_file, " by command": upstream.key_command}
    key = next((f"with a key{words}" for words, way in ways.items() if way), "without a key")
    return f"{base_url(upstream.url)} ({key}; {who_chose(settings)})"


def who_chose(settings: Settings) -> str:
    """Say why the upstream is the one that it is."""
    chosen = settings.upstream_chosen_by
    return f"since {chosen}" if chosen.endswith(" was given") else f"chosen by {chosen}"


def _token(settings: Settings) -> str:
    return "<one of your client keys>" if settings.client_keys else "dragoman"
