"""A table of the mapping page: rows, the last cell of each naming the test that proves it."""

from __future__ import annotations

from collections.abc import Sequence

import attrs


@attrs.frozen
class Table:
    """One table with its title.

    Attributes:
        title: the heading above it.
        intro: what to know before reading it; may be empty.
        head: what the columns are, without the last one, which is the test.
        rows: the cells, as Markdown; each row ends with the test that proves it, as `path` or `path::name`.
    """

    title: str
    intro: str
    head: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]

    def markdown(self) -> str:
        """Write the table with its heading."""
        lines = [f"## {self.title}", "", *([self.intro, ""] if self.intro else [])]
        lines += [_line((*self.head, "test")), _line(("---",) * (len(self.head) + 1))]
        lines += [_line((*row[:-1], code(row[-1].removeprefix("tests/")))) for row in self.rows]
        return "\n".join(lines) + "\n"


def code(text: str) -> str:
    """Set a word of the wire apart."""
    return f"`{text}`"


def _line(cells: tuple[str, ...]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"
