"""Checks of this machine: Python, the port, the tokenizer for token counts, Claude Code."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import platform
import subprocess
import sys
import tempfile
from pathlib import Path

from pipeline.commands.claude import INSTALL, find_client
from pipeline.commands.findings import Finding, fail, ok, warn
from pipeline.commands.listening import bind, url
from pipeline.commands.probe import Answerer, ProbeResult, look
from pipeline.commands.screen import CommandError
from pipeline.settings import Settings
from pipeline.version import version

_TOKENIZER = "https://openaipublic.blob.core.windows.net/encodings/o200k_base.tiktoken"
_OLDEST = (3, 11)
_CLIENT_TIMEOUT = 20.0  # seconds for `claude --version`


def python(running: tuple[int, ...] = sys.version_info[:2]) -> Finding:
    """Is this Python new enough?"""
    if running < _OLDEST:
        return fail(f"Python {'.'.join(map(str, running))} is too old", "dragoman needs Python 3.11 or newer")
    return ok(f"Python {platform.python_version()}, dragoman {version()}")


def port(settings: Settings) -> Finding:
    """Is the port free, or does a dragoman run there already, and whose?"""
    where = url(settings.host, settings.port, tls=bool(settings.certfile))
    found = look(where, settings=settings) if settings.port else ProbeResult(Answerer.NOBODY)
    if found.answerer is Answerer.DRAGOMAN:
        return _running(where, found)
    if found.answerer is Answerer.SOMEBODY_ELSE:
        return fail(f"another program answers at {where}", "choose another port with --port or DRAGOMAN_PORT")
    try:
        bind(settings.host, settings.port).close()
    except CommandError as error:
        return fail(str(error), "choose another address with --host and --port")
    return ok(f"{where} is free" if settings.port else "any that is free")


def _running(where: str, found: ProbeResult) -> Finding:
    if found.same:
        return ok(f"a dragoman of yours runs at {where}, with these settings")
    if found.own:
        return warn(
            f"a dragoman of yours runs at {where} with other settings (upstream {found.upstream})",
            "restart it, or let it read its file again: kill -HUP",
        )
    return warn(
        f"a dragoman runs at {where} that is not known to be yours; it would read what you send",
        "choose another port with --port or DRAGOMAN_PORT",
    )


def offline() -> bool:
    """Whether the vocabulary of the extra `offline` is installed."""
    return importlib.util.find_spec("toktok") is not None


def tokenizer() -> Finding:
    """Is the vocabulary there that counts tokens where the upstream does not?

    tiktoken keeps downloaded vocabularies in a folder, each under the SHA-1 of its address; asking tiktoken itself
    would download it.
    """
    if offline():
        return ok("exact ones by the upstream, else by the vocabulary of dragoman[offline]")
    named = os.environ.get("TIKTOKEN_CACHE_DIR") or os.environ.get("DATA_GYM_CACHE_DIR")
    folder = Path(named) if named else Path(tempfile.gettempdir()) / "data-gym-cache"
    if (folder / hashlib.sha1(_TOKENIZER.encode(), usedforsecurity=False).hexdigest()).is_file():
        return ok("exact ones by the upstream, else by tiktoken's vocabulary, which is here")
    return warn(
        "exact ones by the upstream, else estimates: tiktoken's vocabulary is not here",
        "nothing to do; or install dragoman[offline]; or run tiktoken once with network access",
    )


def claude_code() -> Finding:
    """Is Claude Code installed, and which version?"""
    try:
        client = find_client(os.environ)
    except CommandError as error:
        return warn(str(error), f"{INSTALL} (other clients need no such thing)")
    try:
        answer = subprocess.run(  # noqa: S603 - the user's own client
            [client, "--version"], capture_output=True, timeout=_CLIENT_TIMEOUT, check=True, stdin=subprocess.DEVNULL
        )
    except (OSError, subprocess.SubprocessError) as error:
        return warn(f"{client} is there but does not run ({type(error).__name__})", f"install it again: {INSTALL}")
    return ok(answer.stdout.decode("utf-8", "replace").strip())
