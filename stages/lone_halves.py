r"""Halves of characters in JSON text that passes by in pieces: an escape such as `\ud83d` that has no other half.

JSON may hold them and Unicode may not: a client in Python gets a string out of them that it cannot encode.  So each
becomes `\ufffd`, the replacement character.  An escape that a piece cuts waits for the rest of it, and a high half for
what follows it.
"""

from __future__ import annotations

import re

_SUSPICIOUS = re.compile(r"\\u[dD][89a-fA-F]")
_TOKEN = re.compile(
    r"(?P<pair>\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2})"
    r"|(?P<cut>\\u[dD][89abAB][0-9a-fA-F]{2}(?:\\(?:u(?:[dD](?:[c-fC-F][0-9a-fA-F]?)?)?)?)?\Z|\\(?:u[0-9a-fA-F]{0,3})?\Z)"
    r"|(?P<lone>\\u[dD][89a-fA-F][0-9a-fA-F]{2})"
    r"|\\."
)
_ESCAPE = 5
"""Characters at the end of a piece in which the beginning of an escape may stand."""

_REPLACEMENT = "\\ufffd"


class LoneHalves:
    """The transducer of one JSON text: pieces in, pieces out; what has no backslash near passes at a glance."""

    def __init__(self) -> None:
        """Begin a text."""
        self._held = ""

    def feed(self, text: str) -> str:
        """Take the next piece; return what may leave."""
        if not self._held and ("\\" not in text or self._is_plain(text)):
            return text
        text, self._held = self._held + text, ""
        return _TOKEN.sub(self._read, text)

    def _is_plain(self, text: str) -> bool:
        return "\\" not in text[-_ESCAPE:] and _SUSPICIOUS.search(text) is None

    def finish(self) -> str:
        """Return the rest: a half whose other half never came, or an escape that was cut."""
        held, self._held = self._held, ""
        return _TOKEN.sub(_alone, held)

    def _read(self, token: re.Match[str]) -> str:
        if token["cut"] is not None:
            self._held = token[0]
            return ""
        return _alone(token)


def _alone(token: re.Match[str]) -> str:
    cut = token["cut"]
    if cut is not None:
        return _REPLACEMENT + cut[6:] if _SUSPICIOUS.match(cut) and len(cut) > _ESCAPE else cut
    return _REPLACEMENT if token["lone"] is not None else token[0]
