"""How a session is called where its id must not stand."""

from __future__ import annotations

import hashlib
import re

_SESSION = re.compile(r"[0-9a-f-]{16,64}", re.IGNORECASE)
# As clients make them by chance; a hash of any other text could be guessed.


def session_mark(session: str) -> str:
    """A session's id as a log may have it: a hash, for whoever has the id; empty for what is no such id."""
    return hashlib.sha256(session.encode()).hexdigest()[:12] if _SESSION.fullmatch(session) else ""
