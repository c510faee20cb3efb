"""A plain text is cut into pieces that can be cited: about a sentence each, as Anthropic's servers cut it."""

from __future__ import annotations

import re

SHORTEST = 24
"""Characters of a piece before it may end: a list of short words does not become thousands of numbers."""

_END = re.compile("[.!?\u2026]['\")\\]\u00bb\u201d\u2019]{0,4}\\s+|[\u3002\uff01\uff1f]\\s*|\\n\\s*")
# The full stop, and what closes a quotation behind it, in Latin and in wide characters.


def pieces_of(text: str) -> tuple[str, ...]:
    """Cut a text behind its sentences and lines; the pieces together are the text."""
    pieces: list[str] = []
    begin = 0
    for end in _END.finditer(text):
        if end.end() - begin >= SHORTEST:
            pieces.append(text[begin : end.end()])
            begin = end.end()
    return (*pieces, text[begin:]) if begin < len(text) else tuple(pieces)
