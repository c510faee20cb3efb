"""What every request to an upstream carries besides its body: our headers, the settings', the key, and a query."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from urllib.parse import urlencode

import attrs

from pipeline.settings.keys import Secret

CarriedHeaders = Sequence[tuple[bytes, bytes]]
"""Names, in lower case, and values."""

OWN_HEADERS: CarriedHeaders = (
    (b"content-type", b"application/json"),
    (b"accept", b"text/event-stream, application/json"),
    (b"accept-encoding", b"identity"),
    (b"user-agent", b"dragoman"),
)
"""What we say in every request ourselves."""

BEARER = "authorization"
"""The header of OpenAI's keys, which stand behind `Bearer`; in any other header a key stands alone."""

_TOKEN = re.compile(r"eyJ[\w-]+\.[\w-]+\.[\w-]*")


@attrs.frozen
class Carried:
    """What every request to an upstream carries besides its body.

    Attributes:
        headers: more headers; they replace ours of the same name.
        query: the query, encoded, with its question mark; empty for none.
        key_header: the header that the key stands in.
    """

    headers: Mapping[str, Secret] = attrs.field(factory=dict)
    query: str = ""
    key_header: str = BEARER

    @classmethod
    def of(cls, headers: Mapping[str, Secret], query: Mapping[str, str], key_header: str = BEARER) -> Carried:
        """Build it from the settings."""
        return cls(headers, f"?{urlencode(query)}" if query else "", key_header)

    def with_key(self, headers: CarriedHeaders, key: Secret | None) -> CarriedHeaders:
        """Put key and more headers to those of a request."""
        made = headers if key is None else [*headers, authorization(key, self.key_header)]
        own = [(name.encode(), value.reveal().encode()) for name, value in self.headers.items()]
        replaced = {name for name, _ in own}
        return [*(header for header in made if header[0] not in replaced), *own]


def authorization(key: Secret, header: str) -> tuple[bytes, bytes]:
    """The header that carries a key; a token of Entra ID is a bearer's even where keys have a header of their own."""
    text = key.reveal()
    if header == BEARER or is_token(text):
        return b"authorization", b"Bearer " + text.encode()
    return header.encode(), text.encode()


def is_token(key: str) -> bool:
    """Whether a key is a JSON web token, as those of Entra ID are."""
    return _TOKEN.fullmatch(key) is not None
