"""What a row of the tables of fields says."""

from __future__ import annotations

from functools import partial
from typing import Any

import attrs

from stages.canonical.report import Disposition


@attrs.frozen
class Row:
    """What becomes of one field where no stage has more to say about it.

    Attributes:
        disposition: what becomes of it.
        reason: why, in words that a client may read; never with words of the client's.
        inside: the group of nodes that its value is, or is a list of; empty for a value without fields of its own.
        idle: values that ask for no more than leaving the field out would; null always does.
    """

    disposition: Disposition
    reason: str
    inside: str = ""
    idle: tuple[Any, ...] = ()

    def says_nothing(self, value: Any) -> bool:
        """Whether a value of this field asks for nothing, so that nothing can become of it."""
        return value is None or value in self.idle


kept = partial(Row, Disposition.KEPT)
"""Make a row of a field that goes upstream as it is, or that holds without going there."""
translated = partial(Row, Disposition.TRANSLATED)
"""Make a row of a field that the upstream has under another name or form."""
emulated = partial(Row, Disposition.EMULATED)
"""Make a row of a field that we do the work of."""
approximated = partial(Row, Disposition.APPROXIMATED)
"""Make a row of a field of which the upstream gets the nearest thing."""
dropped = partial(Row, Disposition.DROPPED)
"""Make a row of a field that does not reach the upstream."""

Fields = dict[str, Row]
"""Field to row; the name `*` stands for all names that have no row."""

UNKNOWN_FIELD = dropped("not a field that is known here")
"""A field that no row names: tolerated, and said."""

UNKNOWN_KIND = dropped("not of a kind that is known here")
"""A part whose `type` no table names."""

CACHED = "the upstream caches by itself, and the rendered prefix never changes"
"""What stands in for a cache mark that no breakpoint is made of."""

CACHE: Fields = {"cache_control": emulated(CACHED, inside="cache_control")}
"""The cache mark that most parts may carry."""


FALLBACK = "the models that it names are asked after a refusal, in their order, where nothing was shown yet"
"""What becomes of the models to ask after a refusal."""


def same(row: Row, *names: str, **inside: str) -> Fields:
    """Give several fields one row; those named with a group have nodes of that group inside."""
    return dict.fromkeys(names, row) | {name: attrs.evolve(row, inside=group) for name, group in inside.items()}
