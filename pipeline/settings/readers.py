"""How one setting's value is read: text from a flag or a variable, or a typed value from TOML, into what we keep.

A reader is a function from whatever was given to the value. It raises `ValueError` when the value is wrong, and the
message is a noun phrase that says what would be right ("a whole number from 0 to 65535"), never the value itself.
One kind of exception for every wrong value, also for one of the wrong type: to who sets it, there is no difference.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from urllib.parse import urlsplit

from pipeline.settings.keys import Secret

Reader = Callable[[object], object]
"""From a given value (`str` from flags and environment, any TOML type from a file) to the setting's own type."""

EMULATOR = "emulator"
"""The upstream that is no URL: the emulated Responses API inside this process."""

OFF = "off"
"""No receiver of telemetry, whatever the environment says."""

_BOOLEANS: Mapping[str, bool] = {
    "true": True, "yes": True, "on": True, "1": True, "false": False, "no": False, "off": False, "0": False,
}  # fmt: skip


def any_text(value: object) -> str:
    """Read any text."""
    if isinstance(value, str):
        return value
    raise ValueError("a text")


def choice(*choices: str) -> Reader:
    """Make a reader of one of `choices`."""

    def read(value: object) -> str:
        if isinstance(value, str) and value.lower() in choices:
            return value.lower()
        raise ValueError(" or ".join(f'"{each}"' for each in choices))

    return read


def whole(lowest: int, highest: int | None = None) -> Reader:
    """Make a reader of a whole number within bounds, both included; `1_000` is as good as `1000`."""
    right = f"a whole number, {lowest} or more" if highest is None else f"a whole number from {lowest} to {highest}"

    def read(value: object) -> int:
        if isinstance(value, bool) or not isinstance(value, int | str):
            raise ValueError(right)  # noqa: TRY004 - see the head of this file
        try:
            number = int(value)
        except ValueError:
            raise ValueError(right) from None
        if number < lowest or (highest is not None and number > highest):
            raise ValueError(right)
        return number

    return read


def seconds(value: object) -> float:
    """Read a time in seconds: above zero, whole or not, and finite."""
    right = "a number of seconds above 0"
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ValueError(right)  # noqa: TRY004 - see the head of this file
    try:
        number = float(value)
    except ValueError:
        raise ValueError(right) from None
    if not 0 < number < float("inf"):
        raise ValueError(right)
    return number


def boolean(value: object) -> bool:
    """Read true or false, in TOML's form or in words."""
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.lower() in _BOOLEANS:
        return _BOOLEANS[value.lower()]
    raise ValueError("true or false")


def secret(value: object) -> Secret:
    """Read a key that must go into a header: printable ASCII without spaces."""
    if isinstance(value, str) and re.fullmatch(r"[!-~]+", value.strip()):
        return Secret(value.strip())
    raise ValueError("a key of printable ASCII characters without spaces")


def names(value: object) -> tuple[str, ...]:
    """Read names of hosts: a list, or one text with commas between; kept in lower case."""
    listed = value.split(",") if isinstance(value, str) else value
    if isinstance(listed, list | tuple) and all(
        isinstance(each, str) and re.fullmatch(r"\s*[\w.:-]+\s*", each) for each in listed
    ):
        return tuple(each.strip().lower() for each in listed)
    raise ValueError("names of hosts without a port, as a list or with commas between")


def upstream_url(value: object) -> str:
    """Read the upstream's base URL, `emulator` included; no slash is left at its end.

    A name and password inside the URL are refused: URLs are logged, and keys have a setting of their own.
    """
    if isinstance(value, str):
        if value.lower() == EMULATOR:
            return EMULATOR
        if _is_base_url(value):
            return value.rstrip("/")
    raise ValueError('"emulator", or a URL as https://host/v1 without a name, password, query or fragment in it')


def receiver_url(value: object) -> str:
    """Read the base URL of what takes telemetry, `off` and nothing included; no slash is left at its end."""
    if isinstance(value, str):
        if value.lower() in (OFF, ""):
            return value.lower()
        if _is_base_url(value):
            return value.rstrip("/")
    raise ValueError('"off", or a URL as http://host:4318 without a name, password, query or fragment in it')


def _is_base_url(value: str) -> bool:
    try:
        parts = urlsplit(value)
        _ = parts.port  # a port that is no number shows only here
    except ValueError:
        return False
    plain = not (parts.query or parts.fragment or "@" in parts.netloc) and " " not in value
    return parts.scheme in {"http", "https"} and bool(parts.hostname) and plain


def texts_by_name(value: object) -> Mapping[str, str]:
    """Read a table of texts: a TOML table, or `name=text` pairs with commas between."""
    right = "a table of texts, or name=text pairs with commas between"
    pairs = _pairs(value, right)
    if all(isinstance(each, str) and each for each in pairs.values()):
        return MappingProxyType({name: str(each) for name, each in pairs.items()})
    raise ValueError(right)


def headers_by_name(value: object) -> Mapping[str, Secret]:
    """Read a table of headers, names in lower case; their values may be keys, and are kept like those."""
    right = "a table of headers, or name=value pairs with commas between; not those that are about one request's body"
    headers = {name.lower(): any_text for name, any_text in _pairs(value, right).items()}
    for name, any_text in headers.items():
        fits = isinstance(any_text, Secret) or (
            isinstance(any_text, str) and re.fullmatch(r"[ -~]*[!-~][ -~]*", any_text)
        )
        if not fits or not re.fullmatch(r"[a-z0-9!#$%&'*+.^_`|~-]+", name) or name in _OURS:
            raise ValueError(right)
    return MappingProxyType(
        {name: each if isinstance(each, Secret) else Secret(str(each).strip()) for name, each in headers.items()}
    )


_OURS = frozenset({
    "accept", "accept-encoding", "connection", "content-encoding", "content-length", "content-type", "expect", "host",
    "te", "trailer", "transfer-encoding", "upgrade",
})  # fmt: skip
# What framing and decoding rest on; a setting could only break it.


def scalars_by_name(value: object) -> Mapping[str, bool | int | str]:
    """Read a table of truths, numbers and texts; in the `name=value` form the types are guessed."""
    right = "a table of true/false, whole numbers and texts, or name=value pairs with commas between"
    pairs = _pairs(value, right)
    scalars = {name: _guess(each) if isinstance(value, str) else each for name, each in pairs.items()}
    if all(isinstance(each, bool | int | str) for each in scalars.values()):
        return MappingProxyType({name: each for name, each in scalars.items() if isinstance(each, bool | int | str)})
    raise ValueError(right)


def _pairs(value: object, right: str) -> dict[str, object]:
    if isinstance(value, Mapping):
        return {str(name): each for name, each in value.items()}
    if not isinstance(value, str):
        raise ValueError(right)  # noqa: TRY004 - see the head of this file
    pieces = [piece.partition("=") for piece in value.split(",") if piece.strip()]
    if not all(name.strip() and equals for name, equals, _ in pieces):
        raise ValueError(right)
    return {name.strip(): each.strip() for name, _, each in pieces}


def _guess(value: object) -> object:
    if not isinstance(value, str):
        return value
    if re.fullmatch(r"[+-]?\d+", value):
        return int(value)
    return {"true": True, "false": False}.get(value.lower(), value)
