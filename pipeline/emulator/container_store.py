"""The Containers API of the emulator: machines on which nothing runs, with the files that were put or made there.

A machine has no clock: it lives until it is deleted, or until a directive says that it is gone.

Source: `docs/facts/files-and-batches.md`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from attrs import define, field, frozen

from pipeline.emulator import code
from pipeline.emulator.faults import Fault, invalid
from pipeline.emulator.file_store import EPOCH, FileStore, page_of
from pipeline.emulator.ids import AnswerIds, hexadecimal
from pipeline.emulator.scenario import CodeItem, Scenario

MAX_CONTAINERS_PAGE = 100
"""Containers, or files of one, on one page of the list."""

LIVES = {"anchor": "last_active_at", "minutes": 20}
"""How long a container lives that nobody uses."""


@frozen
class ContainerFile:
    """One file of a container: its bytes, and what the API says of it."""

    id: str
    container: str
    name: str = field(repr=False)
    data: bytes = field(repr=False)
    source: str

    @property
    def told(self) -> dict[str, Any]:
        """The file object."""
        return {
            "id": self.id,
            "object": "container.file",
            "bytes": len(self.data),
            "container_id": self.container,
            "created_at": EPOCH,
            "path": code.FOLDER + self.name,
            "source": self.source,
        }


@define
class Container:
    """One machine: what the API says of it, and its files by their ids."""

    told: dict[str, Any]
    files: dict[str, ContainerFile] = field(factory=dict, repr=False)

    @property
    def alive(self) -> bool:
        """Whether it may be used."""
        return bool(self.told["status"] == "running")

    def keep(self, ident: str, name: str, data: bytes, source: str) -> None:
        """Put a file there."""
        self.files[ident] = ContainerFile(ident, self.told["id"], name, data, source)


@define
class ContainerStore:
    """The containers of one account, oldest first.

    Attributes:
        uploads: the files that may be put into them.
    """

    uploads: FileStore = field(factory=FileStore)
    _containers: dict[str, Container] = field(factory=dict)

    def run(self, request: dict[str, Any], scenario: Scenario, ids: AnswerIds) -> str | Fault:
        """Find or make the machine that an answer's code runs on, and leave the files there that it makes."""
        named = code.wanted_container(request)
        if named is not None and isinstance(fault := self.living(named), Fault):
            return fault
        ran = [item for item in scenario.items if isinstance(item, CodeItem)]
        if not ran:
            return ""
        earlier = self._containers.get(code.earlier_container(request) or "")
        ident = named or (earlier.told["id"] if earlier is not None and earlier.alive else ids.container)
        container = self._containers.get(ident) or self._make(ident, "auto")
        tool = (code.interpreter(request) or {}).get("container")
        faults = self._copy(container, tool.get("file_ids") or [] if isinstance(tool, dict) else [])
        for name in (name for item in ran for name in item.files):
            made, data = code.made_file(ids, name)
            container.keep(made, name, data, "assistant")
        if any(item.expired for item in ran):
            self.expire(ident)
        return faults or ident

    def create(self, request: Mapping[str, Any]) -> dict[str, Any] | Fault:
        """Answer `POST /containers`."""
        if not isinstance(request.get("name"), str):
            return invalid("Missing required parameter: 'name'.", "name", "missing_required_parameter")
        ident = f"cntr_{hexadecimal(str(len(self._containers)).encode(), 'container', 48)}"
        container = self._make(ident, request["name"])
        return self._copy(container, request.get("file_ids") or []) or dict(container.told)

    def find(self, ident: str) -> Container | Fault:
        """Find a container, dead or alive."""
        return self._containers.get(ident) or Fault(404, f"Container with id '{ident}' not found.")

    def living(self, ident: str) -> Container | Fault:
        """Find one that may be used."""
        found = self.find(ident)
        return found if isinstance(found, Fault) or found.alive else Fault(404, "Container is expired.")

    def file(self, ident: str, file: str) -> ContainerFile | Fault:
        """Find a file of a container that lives."""
        found = self.living(ident)
        if isinstance(found, Fault):
            return found
        return found.files.get(file) or Fault(404, f"Container file with id '{file}' not found.")

    def expire(self, ident: str) -> None:
        """Let a container die, with its files."""
        self._containers[ident].told["status"] = "expired"
        self._containers[ident].files.clear()

    def delete(self, ident: str) -> dict[str, Any] | Fault:
        """Answer `DELETE /containers/{id}`."""
        found = self.find(ident)
        if isinstance(found, Fault):
            return found
        del self._containers[ident]
        return {"id": ident, "object": "container.deleted", "deleted": True}

    def delete_file(self, ident: str, file: str) -> dict[str, Any] | Fault:
        """Answer `DELETE /containers/{id}/files/{id}`."""
        found = self.file(ident, file)
        if isinstance(found, Fault):
            return found
        del self._containers[ident].files[file]
        return {"id": file, "object": "container.file.deleted", "deleted": True}

    def page(self, query: Mapping[str, str]) -> dict[str, Any] | Fault:
        """Answer `GET /containers`, newest first."""
        told = [dict(container.told) for container in reversed(self._containers.values())]
        return page_of(told, query, MAX_CONTAINERS_PAGE)

    def files(self, ident: str, query: Mapping[str, str]) -> dict[str, Any] | Fault:
        """Answer `GET /containers/{id}/files`, newest first."""
        found = self.living(ident)
        if isinstance(found, Fault):
            return found
        return page_of([kept.told for kept in reversed(found.files.values())], query, MAX_CONTAINERS_PAGE)

    def _make(self, ident: str, name: str) -> Container:
        times = {"created_at": EPOCH, "last_active_at": EPOCH}
        told = {"id": ident, "object": "container", "name": name, "status": "running", "expires_after": LIVES, **times}
        self._containers[ident] = Container(told)
        return self._containers[ident]

    def _copy(self, container: Container, uploads: Iterable[str]) -> Fault | None:
        for ident in uploads:
            found = self.uploads.find(str(ident))
            if isinstance(found, Fault):
                return found
            copied = f"cfile_{hexadecimal(found.id.encode(), container.told['id'], 32)}"
            container.keep(copied, f"{found.id}-{found.filename}", found.data, "user")
        return None
