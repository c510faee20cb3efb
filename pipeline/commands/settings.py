"""`dragoman settings`: every setting with its meaning, its value and where that came from; or a file to begin with."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from operator import attrgetter
from typing import TYPE_CHECKING

from pipeline import settings
from pipeline.commands import options
from pipeline.commands.screen import Screen, screen
from pipeline.settings import SETTINGS, ClientKey, Secret, variable

if TYPE_CHECKING:
    import argparse

HIDDEN = "(set; not shown)"
"""What stands for a key."""

_DEFAULT = "default"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments: those of the setup that is shown."""
    options.add_listening(parser)
    options.add_sources(parser)
    parser.add_argument("--toml", action="store_true", help="write a commented configuration file, without keys")


def run(arguments: argparse.Namespace) -> int:
    """Show the settings of this run; return 0."""
    loaded = options.settings_of(arguments)
    given = settings.given(options.flags_of(arguments), os.environ, options.file_of(arguments))
    out = screen()
    for line in toml(loaded, given) if arguments.toml else listing(out, loaded, given):
        out.line(line)
    return 0


def listing(out: Screen, loaded: settings.Settings, given: Mapping[str, settings.Given]) -> Iterator[str]:
    """Yield two lines for each setting: name, value and origin; meaning, and the variable that sets it."""
    for name, setting in SETTINGS.items():
        origin = given[name].origin if name in given else _DEFAULT
        shown = _shown(attrgetter(name)(loaded))
        yield f"{out.bold(name)} = {shown}  {out.dim(origin) if origin == _DEFAULT else out.green(origin)}"
        yield out.dim(f"    {setting.about} ({variable(name)})")


def toml(loaded: settings.Settings, given: Mapping[str, settings.Given]) -> Iterator[str]:
    """Yield a configuration file that sets what was given and tells of the rest; keys are left to their variables."""
    group = ""
    yield "# dragoman.toml, written by `dragoman settings --toml`. What is commented out is at its default."
    for name, setting in SETTINGS.items():
        table, _, key = name.rpartition(".")
        if table != group:
            group = table
            yield f"\n[{table}]"
        yield f"\n# {setting.about} ({variable(name)})"
        value = attrgetter(name)(loaded)
        if _is_secret(value):
            yield f"# {key} is set by {given[name].origin}, and better not written into a file"
        elif value is None:
            yield f"# {key} is not set"
        elif name in given:
            yield f"{key} = {_value(value if isinstance(value, _PLAIN) else given[name].value)}"
        else:
            yield f"# {key} = {_value(value)}"


_PLAIN = (str, int, float, bool)


def _is_secret(value: object) -> bool:
    match value:
        case Secret() | ClientKey():
            return True
        case Mapping():
            return any(map(_is_secret, value.values()))
        case tuple():
            return any(map(_is_secret, value))
        case _:
            return False


def _shown(value: object) -> str:
    if isinstance(value, tuple) and value and all(isinstance(each, ClientKey) for each in value):
        return f"{HIDDEN} of {', '.join(dict.fromkeys(key.name for key in value))}"
    if _is_secret(value):
        return HIDDEN
    return "none" if value is None else _value(value)


def _value(value: object) -> str:
    """Write a value as TOML does; of what is no value of TOML, its text."""
    match value:
        case Mapping():
            return "{ " + ", ".join(f"{json.dumps(name)} = {_value(each)}" for name, each in value.items()) + " }"
        case tuple() | list():
            return "[" + ", ".join(map(_value, value)) + "]"
        case bool() | str() | int() | float():
            return json.dumps(value)
        case _:
            return json.dumps(str(value))
