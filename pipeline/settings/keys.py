"""Keys that must not be seen: the upstream's, kept whole, and the clients', kept as hashes."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping

import attrs


@attrs.frozen(repr=False)
class Secret:
    """A text that neither `repr` nor `str` shows; only `reveal` gives it away."""

    _text: str

    def __repr__(self) -> str:
        """Say that something is here, not what."""
        return "Secret(hidden)"

    def __str__(self) -> str:
        """Say the same as `repr`: formatting must not be a way around it."""
        return repr(self)

    def reveal(self) -> str:
        """Return the text, for the one header that needs it."""
        return self._text


@attrs.frozen(repr=False)
class KeyHash:
    """What is kept of a key that clients present: its SHA-256, never the key itself.

    A plain hash is enough (no salt, no stretching) because such keys are long and random, not chosen words.
    """

    digest: bytes

    @classmethod
    def of(cls, key: str) -> KeyHash:
        """Hash a plain key; lone surrogates, which header bytes can become, are hashed too."""
        return cls(hashlib.sha256(key.encode("utf-8", "surrogatepass")).digest())

    def __repr__(self) -> str:
        """Show nothing of the digest: the log of a weak key's hash is a gift to whoever guesses."""
        return "KeyHash(hidden)"

    def matches(self, candidate: str) -> bool:
        """Tell whether `candidate` is the key, in a time that does not depend on where they differ."""
        return hmac.compare_digest(self.digest, KeyHash.of(candidate).digest)


_BEARER = "bearer "


def presented(headers: Mapping[str, str]) -> list[str]:
    """List the keys that a client presents, of which one must be known.

    `x-api-key` is what older SDKs send, `Authorization: Bearer` what newer ones do; a key may come in either.  Claude
    Code sends both, and different ones, when a token is set beside a key.  Another scheme (`Basic`) presents none.

    Args:
        headers: the request's headers, names in lower case.
    """
    authorization = headers.get("authorization", "").strip()
    bearer = authorization[len(_BEARER) :] if authorization[: len(_BEARER)].lower() == _BEARER else ""
    return [key for key in (headers.get("x-api-key", "").strip(), bearer.strip()) if key]
