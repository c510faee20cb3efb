"""What an account keeps: its files and batches, and which path does what with them."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, TypeAlias

from attrs import define, field, frozen

from pipeline.emulator.answer import answer
from pipeline.emulator.batch_store import BatchStore
from pipeline.emulator.faults import Fault
from pipeline.emulator.file_store import FileStore, StoredFile
from pipeline.emulator.form import form_parts
from stages.wire import json

AccountAnswer: TypeAlias = StoredFile | dict[str, Any] | bytes | Fault | None
"""A file, a JSON object, bytes, or why not; None for a path that leads nowhere."""


@frozen
class Call:
    """One call of the two APIs.

    Attributes:
        ident: the id in the path; empty where there is none.
        query: the query's values by name.
        body: the request's body.
        content_type: what that is.
    """

    ident: str
    query: dict[str, str]
    body: bytes = field(default=b"", repr=False)
    content_type: str = ""


@define
class Account:
    """The files and batches of one account."""

    files: FileStore = field(factory=FileStore)
    batches: BatchStore = field(init=False)

    def __attrs_post_init__(self) -> None:
        """Let batches read their inputs from the files."""
        self.batches = BatchStore(self.files, answer)

    def respond(self, method: str, path: str, query: dict[str, str], body: bytes, content_type: str) -> AccountAnswer:
        """Answer a call about files or batches; only the end of the path matters."""
        found = _PATH.search(path)
        if found is None:
            return None
        handler = _HANDLERS.get((method, found[1], bool(found[2]), found[3] or ""))
        return None if handler is None else handler(self, Call(found[2] or "", query, body, content_type))


def _created(account: Account, call: Call) -> AccountAnswer:
    try:
        value = json.decode(call.body)
    except json.MalformedJson:
        value = None
    return account.batches.create(value if isinstance(value, dict) else {})


_PATH = re.compile(r"/(files|batches)(?:/([^/]+)(?:/(content|cancel))?)?/?\Z")
_HANDLERS: dict[tuple[str, str, bool, str], Callable[[Account, Call], AccountAnswer]] = {
    ("POST", "files", False, ""): lambda own, call: own.files.upload(form_parts(call.content_type, call.body)),
    ("GET", "files", False, ""): lambda own, call: own.files.page(call.query),
    ("GET", "files", True, ""): lambda own, call: own.files.find(call.ident),
    ("GET", "files", True, "content"): lambda own, call: own.files.content(call.ident),
    ("DELETE", "files", True, ""): lambda own, call: own.files.delete(call.ident),
    ("POST", "batches", False, ""): _created,
    ("GET", "batches", False, ""): lambda own, call: own.batches.page(call.query),
    ("GET", "batches", True, ""): lambda own, call: own.batches.look(call.ident),
    ("POST", "batches", True, "cancel"): lambda own, call: own.batches.cancel(call.ident),
}
