"""`dragoman keys`: a key for a client, shown once, and the line by which the server knows it."""

from __future__ import annotations

import argparse
import secrets
import sys

from pipeline.commands import options
from pipeline.commands.screen import CommandError, screen
from pipeline.settings import variable
from pipeline.settings.client_keys import hashed, is_client_name

KEY_PREFIX = "dgm_"
"""What our keys begin with, so that whoever finds one somewhere knows what it opens."""

_BYTES = 32  # of chance: nobody guesses a key from its hash


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    options.add_sources(parser)
    parser.add_argument("action", choices=["add"], help="add: make a key")
    parser.add_argument("name", metavar="NAME", help="who will have it: what log and metrics call that client")


def run(arguments: argparse.Namespace) -> int:
    """Make a key and print it with the line to keep; nothing is written anywhere. Return 0.

    Raises:
        CommandError: When a client cannot be called so.
    """
    name = arguments.name
    if not is_client_name(name):
        raise CommandError("a client's name has up to 64 letters, digits and _.- and begins with a letter or digit")
    out, key = screen(sys.stdout), KEY_PREFIX + secrets.token_urlsafe(_BYTES)
    has = any(known.name == name for known in options.settings_of(arguments).client_keys)
    told = f'["<what stands there>", "{hashed(key)}"]' if has else f'"{hashed(key)}"'
    out.line(f"the key of {name}, which is kept nowhere and shown this once:")
    out.line(f"  {out.bold(key)}")
    out.line(f"the lines by which the server knows it, in its file or in {variable('client_keys')}:")
    out.line("  [client_keys]")
    out.line(f'  "{name}" = {told}' if "." in name else f"  {name} = {told}")
    out.line(f"  {variable('client_keys')}={name}={hashed(key)}")
    if has:
        out.line(f"{name} has a key already: both open until you take the old one out")
    return 0
