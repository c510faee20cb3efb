"""Marks in a text: `[0.3]` leads a piece of a source, `<cite refs="0.3 1.0-2">` and `</cite>` stand around words."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from stages.canonical.citable import Citable
from stages.canonical.request import JsonObject

LONGEST_MARK = 200
"""Characters of a mark; what is longer is text."""

INSTRUCTION = (
    "The sources below are cut into numbered pieces, such as [0.3]. Where what you write rests on pieces, stand marks "
    'around those words of yours, the one that names the pieces before them: <cite refs="0.3">your words</cite>, or '
    'refs="0.3 1.0-2" for several. Mark only the words that rest on them, never a mark inside another, and write the '
    "numbers nowhere else. Nobody sees the marks, so do not speak of them."
)
"""What the model is told before the first source that it may cite."""

CITATION_MARK = re.compile(r'<cite refs="(?P<refs>[^"<>]{1,180})">|</cite>')
"""The beginning or the end of words that rest on something."""

_REFERENCE = re.compile(r"(?P<label>s?\d{1,6})\.(?P<first>\d{1,6})(?:-(?P<last>\d{1,6}))?\Z", re.ASCII)
_BEGIN, _END = '<cite refs="', "</cite>"


def numbered(citable: Citable, at: int) -> str:
    """The piece of a source with its number in front."""
    return f"[{citable.label}.{at}] {citable.pieces[at]}"


def undecided(text: str) -> int:
    """Where the end of a text begins that may yet become a mark; its length where nothing can."""
    begin = text.rfind("<")
    if begin < 0 or len(text) - begin > LONGEST_MARK or ">" in text[begin:]:
        return len(text)
    rest = text[begin:]
    grows = rest.startswith(_BEGIN) or _BEGIN.startswith(rest) or _END.startswith(rest)
    return begin if grows else len(text)


def citations_in(references: str, sources: Mapping[str, Citable]) -> Iterator[JsonObject | None]:
    """Look up what a mark names, each source's place once; None for each that is not there."""
    for reference in dict.fromkeys(references.replace(",", " ").split()):
        found = _REFERENCE.match(reference)
        citable = sources.get(found["label"]) if found else None
        first = int(found["first"]) if found else 0
        yield citable.citation(first, int(found["last"] or first)) if found and citable else None


def marked(text: str, references: Iterable[str]) -> str:
    """Put words in their marks again, without the white space behind them."""
    words = text.rstrip()
    return f'<cite refs="{" ".join(references)}">{words}</cite>{text[len(words) :]}'


def reference(citable: Citable, first: int, last: int) -> str:
    """Name pieces of a source, as a mark does."""
    return f"{citable.label}.{first}" if first == last else f"{citable.label}.{first}-{last}"
