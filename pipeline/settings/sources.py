"""Where settings come from: flags, the environment, a TOML file; each becomes names with values and their origin.

A setting is known by its dotted name, `timing.ping_after`. It is the TOML key `ping_after` in the table `[timing]`, and
the variable `DRAGOMAN_TIMING_PING_AFTER`. Nothing is judged here but names: values are read by `load`.
"""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

import attrs

PREFIX = "DRAGOMAN_"
"""What the names of all our variables begin with."""

_ALIASES: Mapping[str, str] = {"upstream": "upstream.url"}
"""Short names: `--upstream URL`, `DRAGOMAN_UPSTREAM=URL`, and `upstream = "URL"` in a file."""

_OTHER_VARIABLES = frozenset({"DRAGOMAN_CONFIG", "DRAGOMAN_CLAUDE", "DRAGOMAN_ONE_RUN", "DRAGOMAN_SHARED"})
"""Variables of ours that are no settings: the file to read, the client for `dragoman claude`, whether a server is there
for one run of it alone, the tests' recordings."""

_KUBERNETES = re.compile(r"DRAGOMAN_(SERVICE_(HOST|PORT(_\w+)?)|PORT_\d+_(TCP|UDP)(_\w+)?)")
"""What Kubernetes puts into every pod when a Service is called dragoman; it is not about us."""

_OPENAI: Mapping[str, str] = {"OPENAI_API_KEY": "upstream.api_key", "OPENAI_BASE_URL": "upstream.url"}
"""Variables of OpenAI's own clients: defaults here, so everything that is ours goes before them."""


@attrs.frozen
class Given:
    """A value as it was given, and where: `--port`, `DRAGOMAN_PORT`, `dragoman.toml`."""

    value: object = attrs.field(repr=False)  # it may be a key
    origin: str


Layer = Mapping[str, Given]
"""All that one source gives, by dotted name."""


def from_flags(flags: Mapping[str, object]) -> Layer:
    """Take command-line flags by setting name; `None` means that the flag was not used."""
    return {
        _ALIASES.get(name, name): Given(value, "--" + name.replace("_", "-").replace(".", "-"))
        for name, value in flags.items()
        if value is not None
    }


def from_environment(environment: Mapping[str, str], known: Collection[str]) -> tuple[Layer, list[str]]:
    """Take `DRAGOMAN_*` variables; an empty one counts as absent. Return them, and the mistakes in names."""
    names = {variable(name): name for name in known} | {variable(short): name for short, name in _ALIASES.items()}
    layer: dict[str, Given] = {}
    mistakes = []
    for key in sorted(environment):
        if not environment[key] or not key.startswith(PREFIX) or _is_not_ours(key, environment[key]):
            continue
        if key in names:
            layer[names[key]] = Given(environment[key], key)
        else:
            mistakes.append(f"{key} (in the environment): no such setting{_did_you_mean(key, names)}")
    return layer, mistakes


def from_openai_environment(environment: Mapping[str, str]) -> Layer:
    """Take the variables that OpenAI's own clients read; an empty one counts as absent."""
    return {name: Given(environment[key], key) for key, name in _OPENAI.items() if environment.get(key)}


def from_file(path: Path, known: Collection[str]) -> tuple[Layer, list[str]]:
    """Read a TOML file. Return its settings, and what is wrong with the file or the names in it."""
    try:
        document = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        return {}, [f"{path} (the configuration file): cannot be read: {error.strerror}"]
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        # The message of a TOML error names line and column only; it does not quote the line.
        return {}, [f"{path} (the configuration file): is not TOML: {error}"]
    layer: dict[str, Given] = {}
    mistakes = []
    for name, value in _flatten(document, known):
        if name in known:
            layer[name] = Given(value, path.name)
        else:
            mistakes.append(f"{name} (from {path.name}): no such setting{_did_you_mean(name, known)}")
    return layer, mistakes


def find_file(flag: str | None, environment: Mapping[str, str], folder: Path) -> Path | None:
    """Choose the configuration file.

    `--config` and `DRAGOMAN_CONFIG` name it, whether it exists or not (a missing one is a mistake that `load`
    reports); else `dragoman.toml` in `folder`, else `dragoman/config.toml` in the user's configuration, if present.
    """
    named = flag or environment.get("DRAGOMAN_CONFIG")
    if named:
        return Path(named)
    candidates = [folder / "dragoman.toml"]
    if home := environment.get("XDG_CONFIG_HOME"):
        candidates.append(Path(home) / "dragoman" / "config.toml")
    elif home := environment.get("HOME"):
        candidates.append(Path(home) / ".config" / "dragoman" / "config.toml")
    return next((path for path in candidates if path.is_file()), None)


def variable(name: str) -> str:
    """Name the environment variable of a setting: `timing.ping_after` is `DRAGOMAN_TIMING_PING_AFTER`."""
    return PREFIX + name.replace(".", "_").upper()


def _is_not_ours(key: str, value: str) -> bool:
    # DRAGOMAN_PORT is a setting and also a name that Kubernetes uses, with "tcp://..." as its value.
    return key in _OTHER_VARIABLES or bool(_KUBERNETES.fullmatch(key)) or value.startswith(("tcp://", "udp://"))


def _flatten(table: Mapping[str, object], known: Collection[str], prefix: str = "") -> Iterator[tuple[str, object]]:
    groups = {name.rpartition(".")[0] for name in known}
    for key, value in table.items():
        name = prefix + key
        if isinstance(value, dict) and name in groups:
            yield from _flatten(value, known, name + ".")
        elif name in _ALIASES:
            yield _ALIASES[name], value
        else:
            yield name, value


def _did_you_mean(name: str, known: Collection[str]) -> str:
    close = difflib.get_close_matches(name, known, n=1)
    return f"; did you mean {close[0]}?" if close else ""
