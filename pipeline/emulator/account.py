"""What an account keeps: its files, batches and containers, and which path does what with them."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, TypeAlias

from attrs import define, field, frozen

from pipeline.emulator.answer import answer
from pipeline.emulator.batch_store import BatchStore
from pipeline.emulator.container_store import Container, ContainerFile, ContainerStore
from pipeline.emulator.faults import Fault
from pipeline.emulator.file_store import FileStore, StoredFile
from pipeline.emulator.form import form_parts
from stages.wire import json

AccountAnswer: TypeAlias = StoredFile | Container | ContainerFile | dict[str, Any] | bytes | Fault | None
"""What is kept, a JSON object, bytes, or why not; None for a path that leads nowhere."""


@frozen
class Call:
    """One call of the three APIs.

    Attributes:
        ident: the id in the path; empty where there is none.
        query: the query's values by name.
        body: the request's body.
        content_type: what that is.
        file: the id of a file inside a container; empty where there is none.
    """

    ident: str
    query: dict[str, str]
    body: bytes = field(default=b"", repr=False)
    content_type: str = ""
    file: str = ""


@define
class Account:
    """The files, batches and containers of one account."""

    files: FileStore = field(factory=FileStore)
    containers: ContainerStore = field(init=False)
    batches: BatchStore = field(init=False)

    def __attrs_post_init__(self) -> None:
        """Let batches read their inputs from the files, and run code in the containers."""
        self.containers = ContainerStore(self.files)
        self.batches = BatchStore(self.files, lambda request: answer(request, containers=self.containers))

    def respond(self, method: str, path: str, query: dict[str, str], body: bytes, content_type: str) -> AccountAnswer:
        """Answer a call about what is kept; only the end of the path matters."""
        inside = _CONTAINER_PATH.search(path)
        if inside is not None:
            ident, files, file, last = (inside[at] or "" for at in range(1, 5))
            handler = _CONTAINER_HANDLERS.get((method, bool(ident), bool(files), bool(file), last))
            return None if handler is None else handler(self, Call(ident, query, body, content_type, file))
        found = _PATH.search(path)
        if found is None:
            return None
        handler = _HANDLERS.get((method, found[1], bool(found[2]), found[3] or ""))
        return None if handler is None else handler(self, Call(found[2] or "", query, body, content_type))


def _asked(call: Call) -> dict[str, Any]:
    try:
        value = json.decode(call.body)
    except json.MalformedJson:
        value = None
    return value if isinstance(value, dict) else {}


def _content(account: Account, call: Call) -> AccountAnswer:
    found = account.containers.file(call.ident, call.file)
    return found if isinstance(found, Fault) else found.data


_PATH = re.compile(r"/(files|batches)(?:/([^/]+)(?:/(content|cancel))?)?/?\Z")
_HANDLERS: dict[tuple[str, str, bool, str], Callable[[Account, Call], AccountAnswer]] = {
    ("POST", "files", False, ""): lambda own, call: own.files.upload(form_parts(call.content_type, call.body)),
    ("GET", "files", False, ""): lambda own, call: own.files.page(call.query),
    ("GET", "files", True, ""): lambda own, call: own.files.find(call.ident),
    ("GET", "files", True, "content"): lambda own, call: own.files.content(call.ident),
    ("DELETE", "files", True, ""): lambda own, call: own.files.delete(call.ident),
    ("POST", "batches", False, ""): lambda own, call: own.batches.create(_asked(call)),
    ("GET", "batches", False, ""): lambda own, call: own.batches.page(call.query),
    ("GET", "batches", True, ""): lambda own, call: own.batches.look(call.ident),
    ("POST", "batches", True, "cancel"): lambda own, call: own.batches.cancel(call.ident),
}
_CONTAINER_PATH = re.compile(r"/containers(?:/([^/]+)(?:/(files)(?:/([^/]+)(?:/(content))?)?)?)?/?\Z")
_CONTAINER_HANDLERS: dict[tuple[str, bool, bool, bool, str], Callable[[Account, Call], AccountAnswer]] = {
    ("POST", False, False, False, ""): lambda own, call: own.containers.create(_asked(call)),
    ("GET", False, False, False, ""): lambda own, call: own.containers.page(call.query),
    ("GET", True, False, False, ""): lambda own, call: own.containers.find(call.ident),
    ("DELETE", True, False, False, ""): lambda own, call: own.containers.delete(call.ident),
    ("GET", True, True, False, ""): lambda own, call: own.containers.files(call.ident, call.query),
    ("GET", True, True, True, ""): lambda own, call: own.containers.file(call.ident, call.file),
    ("GET", True, True, True, "content"): _content,
    ("DELETE", True, True, True, ""): lambda own, call: own.containers.delete_file(call.ident, call.file),
}
