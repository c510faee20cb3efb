"""A batch on its way up: its lines and its manifest wait on the disk until all of the body is found to be right."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from tempfile import TemporaryFile
from typing import IO, Any, Self

import attrs
import trio

from pipeline.endpoints.batches.line import Line
from stages.wire import json


@attrs.frozen
class LinePlace:
    """Where a line lies: its first byte, its length, and the group of lines with the same prefix."""

    offset: int
    length: int
    group: int


class Spool:
    """The lines of one batch by model, and its manifest.

    Attributes:
        manifest: the side file, from its beginning.
        total: requests so far.
        ready: of these, how many have their result already.
    """

    def __init__(self, head: dict[str, Any]) -> None:
        self._lines: IO[bytes] = TemporaryFile()  # noqa: SIM115 - closed with the spool
        self.manifest: IO[bytes] = TemporaryFile()  # noqa: SIM115 - the same
        self.total = self.ready = 0
        self._written = 0
        self._places: dict[str, list[LinePlace]] = {}
        self._groups: dict[bytes, int] = {}
        self._plans: dict[bytes, int] = {}
        self._waiting: tuple[list[bytes], list[bytes]] = ([], [json.encode(head) + b"\n"])

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Delete what was written."""
        self._lines.close()
        self.manifest.close()

    def add(self, custom_id: str, line: Line) -> None:
        """Add a request that can be sent."""
        known = len(self._plans)
        plan = self._numbered(self._plans, line.skeleton)
        if plan == known:
            self._waiting[1].append(b'{"plan":' + line.skeleton + b"}\n")
        group = self._numbered(self._groups, line.prefix)
        self._places.setdefault(line.model, []).append(LinePlace(self._written, len(line.data), group))
        self._written += len(line.data)
        self._waiting[0].append(line.data)
        self._say({"id": custom_id, "use": plan})

    def add_ready(self, custom_id: str, error: dict[str, Any]) -> None:
        """Add a request that is answered already: it was wrong."""
        self.ready += 1
        self._say({"id": custom_id, "error": error})

    async def flush(self) -> None:
        """Write what was added, in a thread; waits for the disk."""
        lines, manifest = (b"".join(parts) for parts in self._waiting)
        self._waiting = ([], [])
        await trio.to_thread.run_sync(self._write, lines, manifest)

    def parts(self, max_lines: int, max_bytes: int) -> Iterator[tuple[str, list[LinePlace]]]:
        """Yield what each batch of a store is made of: one model, and no more than it takes.

        Lines with the same prefix stand together, since the upstream's cache goes by prefix.

        Args:
            max_lines: lines that its input file may have.
            max_bytes: bytes that it may have.
        """
        for model, places in self._places.items():
            part, size = list[LinePlace](), 0
            for place in sorted(places, key=lambda place: place.group):
                if part and (len(part) == max_lines or size + place.length > max_bytes):
                    yield model, part
                    part, size = [], 0
                part.append(place)
                size += place.length
            if part:
                yield model, part

    def part_file(self, places: list[LinePlace]) -> IO[bytes]:
        """Write the input file of one part; blocks on the disk. Whoever has it closes it."""
        file = TemporaryFile()  # noqa: SIM115 - closed by the caller
        for place in places:
            self._lines.seek(place.offset)
            file.write(self._lines.read(place.length))
        return file

    def _write(self, lines: bytes, manifest: bytes) -> None:
        self._lines.write(lines)
        self.manifest.write(manifest)

    def _say(self, value: dict[str, Any]) -> None:
        self.total += 1
        self._waiting[1].append(json.encode(value) + b"\n")

    @staticmethod
    def _numbered(numbers: dict[bytes, int], text: bytes) -> int:
        return numbers.setdefault(hashlib.blake2b(text, digest_size=8).digest(), len(numbers))
