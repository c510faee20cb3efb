"""Keys that must not be seen: how one is kept, and how clients present theirs."""

from __future__ import annotations

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
