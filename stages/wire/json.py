"""JSON on the wire: fast where the text is ordinary, exact where it is not.

`msgspec` refuses two things that real clients and models do send: lone surrogates (half an emoji, cut
by a tokenizer) and `NaN`.  The standard library takes both, so it is asked whenever the fast way fails.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from itertools import chain
from typing import Any

import msgspec


class Long:
    """A long text that is kept in its pieces, because putting it together is a pause for everybody."""

    __slots__ = ("pieces",)

    def __init__(self, pieces: list[str]) -> None:
        """Take the pieces, in order."""
        self.pieces = pieces

    def __len__(self) -> int:
        """How many characters it has."""
        return sum(map(len, self.pieces))

    def __str__(self) -> str:
        """The text."""
        return "".join(self.pieces)


def _plain(value: Any) -> str:
    """What is written of a value that JSON has no form for."""
    if isinstance(value, Long):
        return str(value)
    raise TypeError(type(value).__name__)


_fast_decoder = msgspec.json.Decoder()
_fast_encoder = msgspec.json.Encoder(enc_hook=_plain)
_sorting_encoder = msgspec.json.Encoder(order="sorted")
_first_decoder = json.JSONDecoder()
_BLANK = re.compile(r"[ \t\r\n]*")
_SURROGATE = re.compile("[\ud800-\udfff]")


LARGE = 2**20
"""Bytes of a JSON text that one call reads in some 20 ms, whatever they hold."""

MOST_VALUES = 2**18
"""Values that a larger one may hold: to read as many takes no longer."""


class MalformedJson(ValueError):
    """The bytes are no JSON; the text says where and why, without quoting what stood there."""


def decode(raw: bytes | str) -> Any:
    """Parse a JSON text of any shape.

    Raises:
        MalformedJson: the text is not JSON, or not UTF-8.
    """
    try:
        return _fast_decoder.decode(raw)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return _decode_exactly(raw)


def _decode_exactly(raw: bytes | str) -> Any:
    try:
        text = raw if isinstance(raw, str) else bytes(raw).decode("utf-8", "surrogatepass")
        return json.loads(text)
    except json.JSONDecodeError as error:
        message = f"{error.msg}: line {error.lineno} column {error.colno} (char {error.pos})"
    except UnicodeDecodeError as error:
        message = f"invalid UTF-8 at byte {error.start}"
    except RecursionError:
        message = "nested too deeply"
    except ValueError:  # the interpreter's guard against integers that take forever to read
        message = "a number has too many digits"
    raise MalformedJson(message)


def decode_first(text: str) -> Any:
    """Parse the JSON value that a text begins with, whatever stands behind it.

    Raises:
        MalformedJson: the text begins with none.
    """
    try:
        return _first_decoder.raw_decode(text)[0]
    except (ValueError, RecursionError):
        raise MalformedJson("no JSON at the beginning") from None


def decode_several(raw: bytes) -> list[Any]:
    """Parse JSON values that stand one behind another, with white space between them or nothing.

    Raises:
        MalformedJson: anything else stands there.
    """
    text, values = raw.decode("utf-8", "replace").strip(), list[Any]()
    at = 0
    try:
        while at < len(text):
            value, end = _first_decoder.raw_decode(text, at)
            values.append(value)
            at = end + len(_BLANK.match(text, end)[0])  # type: ignore[index] # it matches nothing, too
    except (ValueError, RecursionError):
        raise MalformedJson("no JSON behind JSON") from None
    return values


def decode_mended(raw: bytes | str) -> Any:
    """Parse a JSON text of any shape, with U+FFFD for each half of a character: JSON has those, Unicode has not.

    Raises:
        MalformedJson: the text is not JSON, or not UTF-8.
    """
    try:
        return _fast_decoder.decode(raw)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return mended_at(_decode_exactly(raw), [])


def mended(text: str) -> str:
    """A text with U+FFFD for each half of a character that stands alone; the same object if there is none."""
    if _SURROGATE.search(text) is None:
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def mended_value(value: Any) -> Any:
    """Any JSON value with all of its texts mended."""
    if isinstance(value, str):
        return mended(value)
    if isinstance(value, dict):
        return {mended(key): mended_value(inner) for key, inner in value.items()}
    return [mended_value(inner) for inner in value] if isinstance(value, list) else value


def mended_at(value: Any, paths: list[str]) -> Any:
    """Any JSON value with all of its texts mended; the paths of those that had to be are added to a list.

    Raises:
        MalformedJson: the value is nested too deeply.
    """
    try:
        return _mended_at(value, paths, "")
    except RecursionError:
        raise MalformedJson("nested too deeply") from None


def _mended_at(value: Any, paths: list[str], path: str) -> Any:
    if isinstance(value, dict):
        before = f"{path}." if path else ""
        named = ((mended(key), inner) for key, inner in value.items())
        return {key: _mended_at(inner, paths, before + key) for key, inner in named}
    if isinstance(value, list):
        return [_mended_at(inner, paths, f"{path}.{at}") for at, inner in enumerate(value)]
    if not isinstance(value, str) or (text := mended(value)) is value:
        return value
    paths.append(path)
    return text


def is_crowded(raw: bytes) -> bool:
    """Whether a large JSON text holds more values than `MOST_VALUES`: its bytes are bounded, but not what they cost.

    Counts what begins or divides values outside of texts; a text that is none of JSON gets some answer.
    """
    if len(raw) <= LARGE or _dividers(raw) <= MOST_VALUES:
        return False
    plain = raw.replace(b"\\\\", b"").replace(b'\\"', b"")
    if plain.count(b'"') > _QUOTES * MOST_VALUES:
        return True
    return _dividers(b"".join(plain.split(b'"')[::2])) > MOST_VALUES


_QUOTES = 4  # quotation marks of one value: around its name, and around it


def _dividers(raw: bytes) -> int:
    return raw.count(b",") + raw.count(b"[") + raw.count(b"{")


def is_object(text: str) -> bool:
    """Whether a text is a JSON object; a large one is not made to find out, and one that is crowded is none."""
    if len(text) > LARGE:
        raw = text.encode("utf-8", "surrogatepass")
        if is_crowded(raw):
            return False
        try:
            _any_object.decode(raw)
        except (msgspec.DecodeError, UnicodeError, RecursionError):
            pass
        else:
            return True
    try:
        return isinstance(decode(text), dict)
    except MalformedJson:
        return False


class _AnyObject(msgspec.Struct):
    """An object of which no member is looked at."""


_any_object = msgspec.json.Decoder(_AnyObject)


def encode(value: Any) -> bytes:
    """Write a value as compact JSON in UTF-8; lone surrogates leave as escapes."""
    try:
        return _fast_encoder.encode(value)
    except UnicodeEncodeError:
        return _encode_exactly(value)


def pieces(value: Any) -> Iterator[bytes]:
    """Write a value as `encode` does, but a long text of it by and by: in one call it would hold up everybody."""
    match value:
        case dict():
            for at, (name, inner) in enumerate(value.items()):
                yield b"%b%b:" % (b"," if at else b"{", quote(name))
                yield from pieces(inner)
            yield b"}" if value else b"{}"
        case list():
            for at, inner in enumerate(value):
                yield b"," if at else b"["
                yield from pieces(inner)
            yield b"]" if value else b"[]"
        case str():
            yield b'"'
            yield from _sliced(value)
            yield b'"'
        case Long():
            yield b'"'
            yield from chain.from_iterable(map(_sliced, value.pieces))
            yield b'"'
        case _:
            yield encode(value)


_SLICE = 2**16  # characters of a text that are written at once


def _sliced(text: str) -> Iterator[bytes]:
    return (quote(text[at : at + _SLICE])[1:-1] for at in range(0, len(text), _SLICE))


def canonical(value: Any) -> bytes:
    """Write a value so that equal ones become equal bytes, whatever the order of their members."""
    try:
        return _sorting_encoder.encode(value)
    except UnicodeEncodeError:
        return _encode_exactly(value)


def _encode_exactly(value: Any) -> bytes:
    """Write all but the lone surrogates as the fast encoder does: one odd text must not change the bytes of others."""
    text = json.dumps(_finite(value), ensure_ascii=False, separators=(",", ":"))
    return _SURROGATE.sub(lambda half: f"\\u{ord(half[0]):04x}", text).encode()


def _finite(value: Any) -> Any:
    """Put null for what JSON has no number for, as the fast encoder does."""
    match value:
        case dict():
            return {key: _finite(inner) for key, inner in value.items()}
        case list() | tuple():
            return [_finite(inner) for inner in value]
        case Long():
            return str(value)
        case msgspec.Raw():
            return json.loads(bytes(value))
        case float() if not math.isfinite(value):
            return None
    return value


def quote(text: str) -> bytes:
    """Write one string as a JSON string, quotation marks included."""
    try:
        return _fast_encoder.encode(text)
    except UnicodeEncodeError:
        return _encode_exactly(text)
