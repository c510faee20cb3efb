"""The keys that clients present: whose they are, and their hashes; never the keys themselves."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Iterable, Mapping

import attrs

from pipeline.settings.keys import Secret, presented

DIGEST = "sha256:"
"""What a key that is given as its hash begins with; 64 hexadecimal digits follow."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
_NAMED = re.compile(rf"({_NAME.pattern})\s*=\s*([^=\s].*)")  # a plain key may end in `=`, as base64 does
_PLAIN = re.compile(r"[!-~]+")
_HASHED = re.compile(rf"{DIGEST}([0-9a-f]{{64}})", re.IGNORECASE)
_RIGHT = (
    "keys of printable ASCII characters without spaces, plain or as sha256: and 64 hexadecimal digits, "
    "as a list, with commas between, or by the names of those who have them"
)


@attrs.frozen(repr=False)
class ClientKey:
    """What is kept of a key that clients present: whose it is and its SHA-256, never the key itself.

    A plain hash is enough (no salt, no stretching) because such keys are long and random, not chosen words.

    Attributes:
        name: what log, metrics and pages call the client.
        digest: the key's SHA-256.
        named: whether the name was given; else it is the key's place in the list, which may change.
    """

    name: str
    digest: bytes
    named: bool = True

    def __repr__(self) -> str:
        """Show nothing of the digest: the log of a weak key's hash is a gift to whoever guesses."""
        return f"ClientKey({self.name}, hidden)"


def key_of(keys: Iterable[ClientKey], headers: Mapping[str, str]) -> ClientKey | None:
    """Find the key that a client presents; None where it presents none that is known.

    Each candidate is hashed once and compared with all keys, in a time that does not depend on where they differ.

    Args:
        keys: those that are let in.
        headers: the request's headers, names in lower case.
    """
    candidates = [_digest(candidate) for candidate in presented(headers)]
    found = [key for key in keys for candidate in candidates if hmac.compare_digest(key.digest, candidate)]
    return found[0] if found else None


def client_keys(value: object) -> tuple[ClientKey, ...]:
    """Read the clients' keys and keep only their hashes.

    A list or a text with commas between holds plain keys or hashes; in a table, and as `name=key` in a text, they have
    names. A name may have several keys, so that one can be replaced while both are good.
    """
    pairs = _pairs(value)
    return tuple(
        ClientKey(name or f"key-{place}", _kept(word), named=bool(name))
        for place, (name, word) in enumerate(pairs, start=1)
    )


def plain_keys(value: object) -> tuple[Secret, ...]:
    """Return those of the clients' keys that were given themselves, and not as hashes."""
    return tuple(Secret(word) for _, word in _pairs(value) if not word.startswith(DIGEST))


def hashed(key: str) -> str:
    """Write a key as settings may keep it."""
    return DIGEST + _digest(key).hex()


def is_client_name(name: str) -> bool:
    """Whether a client may be called so: up to 64 letters, digits and `_.-`, which any log and any label takes."""
    return _NAME.fullmatch(name) is not None


def _digest(key: str) -> bytes:
    """Hash a key; lone surrogates, which header bytes can become, are hashed too."""
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).digest()


def _kept(word: str) -> bytes:
    if found := _HASHED.fullmatch(word):
        return bytes.fromhex(found[1])
    return _digest(word)


def _pairs(value: object) -> list[tuple[str, str]]:
    """Take apart what was given: names, empty where there is none, and keys or hashes."""
    match value:
        case str():
            named = [(word, _NAMED.fullmatch(word)) for word in map(str.strip, value.split(","))]
            pairs: list[tuple[str, object]] = [(found[1], found[2]) if found else ("", word) for word, found in named]
        case Mapping():
            pairs = [
                (name, key) for name, keys in value.items() for key in (keys if isinstance(keys, list) else [keys])
            ]
            if not all(is_client_name(name) for name, _ in pairs):
                raise ValueError(_RIGHT)
        case list():
            pairs = [("", word) for word in value]
        case _:
            raise ValueError(_RIGHT)
    words = [(name, word.strip()) for name, word in pairs if isinstance(word, str) and _is_key(word.strip())]
    if len(words) != len(pairs):
        raise ValueError(_RIGHT)
    return words


def _is_key(word: str) -> bool:
    return _PLAIN.fullmatch(word) is not None and (not word.startswith(DIGEST) or _HASHED.fullmatch(word) is not None)
