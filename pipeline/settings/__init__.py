"""The settings: frozen values from flags, environment, a TOML file and defaults, in that order of precedence.

All mistakes are reported at once, each with the setting's name, where it came from and what would be right: nobody
should have to start a server five times to learn of five mistakes.
"""

from __future__ import annotations

from collections import ChainMap
from typing import TYPE_CHECKING, Any, cast

from pipeline.settings.catalogue import (
    GROUPS,
    SETTINGS,
    FetchSettings,
    Limits,
    Safeguards,
    Setting,
    Settings,
    StorageSettings,
    TelemetrySettings,
    Timing,
    UpstreamSettings,
)
from pipeline.settings.client_keys import ClientKey, plain_keys
from pipeline.settings.keys import Secret
from pipeline.settings.readers import EMULATOR, OFF
from pipeline.settings.rules import SETTINGS_RULES, is_loopback
from pipeline.settings.sources import (
    Given,
    Layer,
    find_file,
    from_environment,
    from_file,
    from_flags,
    from_openai_environment,
    variable,
)

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

__all__ = [
    "EMULATOR",
    "OFF",
    "SETTINGS",
    "ClientKey",
    "ConfigurationError",
    "FetchSettings",
    "Given",
    "Limits",
    "Safeguards",
    "Secret",
    "Setting",
    "Settings",
    "StorageSettings",
    "TelemetrySettings",
    "Timing",
    "UpstreamSettings",
    "find_file",
    "given",
    "is_loopback",
    "load",
    "plain_client_key",
    "variable",
]


_API_KEY = "upstream.api_key"
_FETCHED = {"upstream.api_key_file", "upstream.key_command"}  # where a key comes from that is not set itself


class ConfigurationError(Exception):
    """Some settings are wrong.

    Args:
        mistakes: One line each: the setting, where it came from, what would be right. No line shows a key.
    """

    def __init__(self, mistakes: list[str]) -> None:
        super().__init__("\n".join(mistakes))
        self.mistakes = mistakes


def load(flags: Mapping[str, object], environment: Mapping[str, str], file: Path | None) -> Settings:
    """Build the settings from all sources.

    Args:
        flags: Command-line values by dotted name (`upstream` is short for `upstream.url`); `None` is "not used".
        environment: Variables; `DRAGOMAN_*` are ours, `OPENAI_API_KEY` and `OPENAI_BASE_URL` are defaults.
        file: The TOML file (`find_file` chooses it), or None.

    Raises:
        ConfigurationError: With all mistakes of all sources.
    """
    layer, mistakes = _gather(flags, environment, file)
    values: dict[str, object] = {}
    wrong: set[str] = set()
    for name, each in layer.items():
        try:
            values[name] = SETTINGS[name].reader(each.value)
        except ValueError as right:
            mistakes.append(f"{name} (from {each.origin}): not understood; {right} would be right")
            wrong.add(name)
    settings = _build(values, layer)
    # A rule about a setting that could not be read would judge its default: one mistake would be told as two.
    broken = [mistake for names, rule in SETTINGS_RULES if not wrong & names for mistake in rule(settings)]
    mistakes += [_with_origin(mistake, layer) for mistake in broken]
    if mistakes:
        raise ConfigurationError(mistakes)
    return settings


def _with_origin(mistake: str, layer: Layer) -> str:
    """Say where a setting was given that is not right beside the others."""
    name, colon, why = mistake.partition(": ")
    return f"{name} (from {layer[name].origin}){colon}{why}" if name in layer else mistake


def given(flags: Mapping[str, object], environment: Mapping[str, str], file: Path | None) -> Mapping[str, Given]:
    """Return what was given for each setting that is not at its default, and where; mistakes are for `load` to tell."""
    return _gather(flags, environment, file)[0]


def plain_client_key(flags: Mapping[str, object], environment: Mapping[str, str], file: Path | None) -> Secret | None:
    """Return the first of the clients' keys that was given unhashed, for `dragoman claude`, which must present one."""
    layer, _ = _gather(flags, environment, file)
    keys = plain_keys(layer["client_keys"].value) if "client_keys" in layer else ()
    return next(iter(keys), None)


def _gather(flags: Mapping[str, object], environment: Mapping[str, str], file: Path | None) -> tuple[Layer, list[str]]:
    in_environment, mistakes = from_environment(environment, SETTINGS)
    in_file, more = from_file(file, SETTINGS) if file else ({}, [])
    ours: Layer = ChainMap(*(dict(layer) for layer in (from_flags(flags), in_environment, in_file)))
    theirs = from_openai_environment(environment)
    if _FETCHED & ours.keys():  # whoever sets that means it, and not the key that other programs use
        theirs = {name: each for name, each in theirs.items() if name != _API_KEY}
    return {**theirs, **ours}, mistakes + more


def _build(values: Mapping[str, object], layer: Mapping[str, Given]) -> Settings:
    upstream_url = "upstream.url"
    chosen_by = layer[upstream_url].origin if upstream_url in layer else "an API key was given"
    if upstream_url not in layer and not {_API_KEY, *_FETCHED} & layer.keys():
        values, chosen_by = {**values, upstream_url: EMULATOR}, "nothing was given"
    groups: dict[str, Any] = {
        name: group(**{key.removeprefix(f"{name}."): v for key, v in values.items() if key.startswith(f"{name}.")})
        for name, group in GROUPS.items()
    }
    plain = cast("dict[str, Any]", {name: value for name, value in values.items() if "." not in name})
    return Settings(**plain, **groups, upstream_chosen_by=chosen_by)
