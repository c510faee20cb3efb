"""Writes `docs/mapping.md` out of the tables of the program: `make mapping`.

It stands beside the tests and not in the program, because each row names the test that proves it, and because what a
table cannot say is found by running samples of the tests.  A house test fails when the page is not what this gives.
"""

from __future__ import annotations

from collections.abc import Iterator

from stages.canonical.report import MAX_SUMMARY
from stages.tables.fields import UNKNOWN_FIELD
from tests.conftest import ROOT
from tests.house import mapping_answers, mapping_requests, mapping_settings
from tests.house.mapping_table import Table

PAGE = ROOT / "docs" / "mapping.md"
"""Where the page is."""

HEAD = """\
# What becomes of everything

For someone who wants to know what a field, a block or an error becomes. This page is written by `make mapping`, out of
the tables that the program runs on and by running samples through it; do not edit it. The last column names the test
that proves a row, below `tests/`.

## How to read a fate

| fate | meaning |
| --- | --- |
| kept | means upstream, or here, what the client meant by it, in the same words |
| translated | the upstream has it under another name or in another form |
| emulated | the upstream has nothing like it, and dragoman does the work |
| approximated | the upstream gets the nearest thing, which is not the same |
| dropped | it does not reach the upstream |

A table speaks where no stage has more to say. What became of each part of *one* request is in its report: notes of a
path, a fate and a reason. A path is made of the names of fields and of indexes, joined with dots:
`messages.3.content.0.citations`. A note about a part is about all inside it that has no note of its own. What a client
has written is never quoted in a reason; the name of a field is in its path.

- **`dragoman-mapping`** is a header of every answer to a message request, also of an error that the upstream gave. Its
  form is `fate=field,field;fate=field`, with the fates `approximated`, `dropped` and `emulated` in this order. A
  field is the first part of a path, each once, and whatever is no letter, digit, `_` or `-` in it is `?`. Example:
  `dropped=top_k,messages;emulated=stop_sequences`. A fate that would make it longer than {limit} characters is left
  out, and its fields are counted at the end: `more=3`. Where nothing needs a name, it says `faithful=all`.
- **`dragoman-mode: strict`** is a header of a request, and `mode` a setting: anything approximated or dropped is a 400
  (`invalid_request_error`), and nothing goes upstream. Its message is `path: fate: reason` of the first such part, as
  in `top_k: dropped: the upstream has no such parameter`. The default is `permissive`: do the nearest thing and say so.
- **`POST /v1/messages/explain`** takes what `POST /v1/messages` takes, and `max_tokens` may be left out. Nothing goes
  upstream. The answer is an object with `mapping` (the value of the header), `report` (all notes, each with `path`,
  `fate` and `reason`) and `upstream` (the exact body that would be sent), and what else it can tell. `dragoman explain
  request.json` says the same on a terminal, with `--json` all of it.

Fields without a value (`null`), and values that ask for what leaving the field out would, are not dropped: there is
nothing to lose. Fields that no table names are dropped wherever they stand: "{unknown}".
"""
"""What stands above the tables."""


def tables() -> Iterator[Table]:
    """All tables of the page, in its order."""
    yield from mapping_requests.tables()
    yield from mapping_settings.tables()
    yield from mapping_answers.tables()


def page() -> str:
    """Write the whole page, with a list of its tables."""
    listed = list(tables())
    contents = [f"- [{table.title}](#{_anchor(table.title)})" for table in listed]
    head = HEAD.format(unknown=UNKNOWN_FIELD.reason, limit=MAX_SUMMARY)
    return "\n".join([head, "## Tables", "", *contents, "", *(table.markdown() for table in listed)])


def _anchor(title: str) -> str:
    return "".join(letter for letter in title.lower() if letter.isalnum() or letter in " -").replace(" ", "-")


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    print(f"wrote {PAGE.relative_to(ROOT)}")
