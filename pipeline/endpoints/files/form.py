"""An upload as it comes: a form whose fields stay in memory, and whose file goes to the disk beyond its first megabyte.

The grammar of forms is python-multipart's. It is imported when an upload comes, since most processes see none.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from tempfile import SpooledTemporaryFile
from typing import IO, TYPE_CHECKING, Any
from urllib.parse import unquote

import attrs
import trio

from stages.canonical.failure import Failure, Kind

if TYPE_CHECKING:
    from pipeline.endpoints.exchange import Exchange

IN_MEMORY = 2**20
"""Bytes of a file that are held in memory; what is larger lies on the disk."""

MAX_FIELD = 64 * 2**10
"""Bytes of a field that is no file."""

MAX_BOUNDARY = 70
"""Characters of a boundary, by RFC 2046."""

OVERHEAD = 64 * 2**10
"""Bytes that the form around a file may have."""

logging.getLogger("python_multipart").setLevel(logging.CRITICAL + 1)  # it quotes bytes of uploads on stderr
_EXTENDED = re.compile(rb";\s*filename\*=utf-8'[^']*'([^;\s]+)", re.IGNORECASE)
_NO_FORM = Failure(Kind.INVALID_REQUEST, "The request body should be multipart/form-data with a `file` part")
_BROKEN = Failure(Kind.INVALID_REQUEST, "The request body is not valid multipart/form-data")
_TOO_LARGE = Failure(Kind.TOO_LARGE, "Request exceeds the maximum size")


@attrs.define
class UploadForm:
    """What a form said. Whoever has it closes it, which deletes the file.

    Attributes:
        file: the file's bytes; None while no part was one.
        filename: its name as the client gave it.
        media_type: its type by the client's word; empty without.
        fields: the other fields by name.
        size: bytes of the file.
    """

    file: IO[bytes] | None = attrs.field(default=None, repr=False)
    filename: str = attrs.field(default="", repr=False)
    media_type: str = ""
    fields: dict[str, str] = attrs.field(factory=dict, repr=False)
    size: int = 0

    def close(self) -> None:
        """Let go of the file."""
        if self.file is not None:
            self.file.close()


class FormReader:
    """Takes the bytes of a form as they come; what belongs to the file is collected, to be written at once.

    Attributes:
        form: what was said so far.
        failure: what is wrong with it; nothing more is read then.
        ended: whether the form's end has come.
    """

    def __init__(self, boundary: bytes) -> None:
        """Begin a form; `boundary` is that of its content type."""
        from python_multipart.multipart import MultipartParser

        self.form = UploadForm()
        self.failure: Failure | None = None
        self.ended = False
        self._head: dict[bytes, bytes] = {}
        self._name = b""
        self._value = b""
        self._field: bytearray | None = None
        self._field_name = ""
        self._file: list[bytes] = []
        callbacks: Any = {
            "on_part_begin": self._begin,
            "on_header_field": self._header_name,
            "on_header_value": self._header_value,
            "on_header_end": self._header_end,
            "on_headers_finished": self._headers_end,
            "on_part_data": self._data,
            "on_part_end": self._part_end,
            "on_end": self._end,
        }
        self._parser = MultipartParser(boundary, callbacks)

    def feed(self, data: bytes) -> bytes:
        """Take the next bytes; return those of the file among them."""
        from python_multipart.exceptions import FormParserError

        try:
            self._parser.write(data)
        except FormParserError:
            self.failure = _BROKEN
        found, self._file = b"".join(self._file), []
        self.form.size += len(found)
        return found

    def _begin(self) -> None:
        self._head, self._field, self._field_name = {}, None, ""

    def _header_name(self, data: bytes, start: int, end: int) -> None:
        self._name += data[start:end]

    def _header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _header_end(self) -> None:
        self._head[self._name.lower()] = self._value
        self._name, self._value = b"", b""

    def _headers_end(self) -> None:
        from python_multipart.multipart import parse_options_header

        _, options = parse_options_header(self._head.get(b"content-disposition", b""))
        name = options.get(b"name", b"").decode("utf-8", "replace")
        if name == "file" and self.form.file is None:
            self.form.file = SpooledTemporaryFile(IN_MEMORY)  # noqa: SIM115 - closed by whoever has the form
            self.form.filename = _filename(self._head.get(b"content-disposition", b""), options)
            self.form.media_type = self._head.get(b"content-type", b"").decode("latin-1").partition(";")[0].strip()
        elif name == "file":
            self.failure = Failure(Kind.INVALID_REQUEST, "file: only one file can be uploaded at a time")
        else:
            self._field, self._field_name = bytearray(), name

    def _data(self, data: bytes, start: int, end: int) -> None:
        if self._field is None:
            self._file.append(data[start:end])
        elif len(self._field) + end - start > MAX_FIELD:
            self.failure = _TOO_LARGE
        else:
            self._field += data[start:end]

    def _part_end(self) -> None:
        if self._field is not None:
            self.form.fields[self._field_name] = self._field.decode("utf-8", "replace")

    def _end(self) -> None:
        self.ended = True


async def read_form(exchange: Exchange, limit: int, timeout: float) -> UploadForm | Failure | None:  # noqa: ASYNC109 - between two reads, not for all
    """Read an upload; None when the client left before its end.

    Waits for the client and for the disk. Cancelled, or refused, what was read is deleted.

    Args:
        exchange: the request.
        limit: bytes that the file may have.
        timeout: seconds between two reads.
    """
    reader = _reader_of(exchange.headers.get("content-type", ""))
    if isinstance(reader, Failure):
        return reader
    if exchange.announced > limit + OVERHEAD:
        return _TOO_LARGE
    kept = False
    try:
        outcome = await _read(exchange, reader, limit, timeout)
    except OSError as error:
        return disk_failure(error)
    else:
        kept = isinstance(outcome, UploadForm)
        return outcome
    finally:
        if not kept:
            reader.form.close()


async def _read(exchange: Exchange, reader: FormReader, limit: int, seconds: float) -> UploadForm | Failure | None:
    form = reader.form
    while exchange.unread:
        piece = await exchange.piece(seconds)
        if not isinstance(piece, bytes):
            return piece
        found = reader.feed(piece)
        if reader.failure is not None:
            return reader.failure
        if form.size > limit:
            return _TOO_LARGE
        if found and form.file is not None:
            await write(form.file, found, form.size)
    if not reader.ended:
        return _BROKEN
    return _NO_FORM if form.file is None else form


def disk_failure(error: OSError) -> Failure:
    """What a client is told when what it sends cannot wait on the disk; the log gets the kind of the mistake."""
    message = "The server cannot write its temporary files: its disk is full, or TMPDIR leads nowhere."
    return Failure(Kind.MISCONFIGURED, message, cause=f"disk_{type(error).__name__}")


async def write(file: IO[bytes], data: bytes, size: int) -> None:
    """Write to a spooled file: here while it is in memory, in a thread once it is on the disk."""
    if size <= IN_MEMORY:
        file.write(data)
    else:
        await trio.to_thread.run_sync(file.write, data)


def _reader_of(content_type: str) -> FormReader | Failure:
    from python_multipart.multipart import parse_options_header

    kind, options = parse_options_header(content_type)
    boundary = options.get(b"boundary", b"")
    return FormReader(boundary) if kind == b"multipart/form-data" and 0 < len(boundary) <= MAX_BOUNDARY else _NO_FORM


def _filename(disposition: bytes, options: Mapping[bytes, bytes]) -> str:
    """The name that a part says; `filename*` (RFC 5987) is the better one where both are there."""
    extended = _EXTENDED.search(disposition)
    if extended is None:
        return options.get(b"filename", b"").decode("utf-8", "replace")
    return unquote(extended[1].decode("latin-1"), "utf-8", "replace")
