"""What an upstream keeps for us, files, batches and what code has made: OpenAI's APIs, call by call.

Nothing here is asked again by itself: a call that makes something may have made it although its answer was lost.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Mapping
from typing import IO, Any
from urllib.parse import quote, urlencode

import attrs
import httpx
import trio

from pipeline.upstream.client import UpstreamClient
from pipeline.upstream.response import UpstreamResponse
from stages.canonical.failure import Failure, Kind
from stages.tables.identifiers import CodeFile
from stages.tables.stored_files import OUT_OF_SPACE, UPSTREAM_EXPIRES_AFTER, is_out_of_space
from stages.wire import json

MAX_ANSWER = 16 * 2**20
"""Bytes of an answer that is one JSON object: a page of a thousand batches."""

DISK_READ = 256 * 2**10
"""Bytes that are read from the disk at once."""

_UNREADABLE = Failure(Kind.UPSTREAM, "The upstream's answer is not as its API has it.", cause="bad_body")
_JSON = "application/json"
_SEARCHED = 400  # characters of a sentence: what stands behind them quotes the request
_FILES_OF_A_BATCH = ("input_file_id", "output_file_id", "error_file_id")


class _Form(httpx.AsyncByteStream, AsyncIterator[bytes]):
    """A form with one file at its end, read from the disk while it is sent; an iterator, so that nothing is left open.

    Fields stand before the file, because a server that reads a form as it comes must know them first.
    """

    def __init__(self, fields: Mapping[str, str], filename: str, file: IO[bytes], size: int) -> None:
        self._boundary = os.urandom(16).hex()
        parts = [self._part(f'name="{name}"') + value.encode() + b"\r\n" for name, value in fields.items()]
        head = self._part(f'name="file"; filename="{_quoted(filename)}"\r\nContent-Type: application/octet-stream')
        self._head, self._end = b"".join(parts) + head, f"\r\n--{self._boundary}--\r\n".encode()
        self.length = len(self._head) + size + len(self._end)
        self.content_type = f"multipart/form-data; boundary={self._boundary}"
        self._file = file
        self._left = [self._end, self._head]
        file.seek(0)

    def _part(self, disposition: str) -> bytes:
        return f"--{self._boundary}\r\nContent-Disposition: form-data; {disposition}\r\n\r\n".encode()

    def __aiter__(self) -> _Form:
        return self

    async def __anext__(self) -> bytes:
        """Return the next piece; waits for the disk."""
        if len(self._left) == 2:  # noqa: PLR2004 - the head has not been sent
            return self._left.pop()
        if piece := await trio.to_thread.run_sync(self._file.read, DISK_READ):
            return piece
        if self._left:
            return self._left.pop()
        raise StopAsyncIteration


@attrs.frozen
class UpstreamStore:
    """The files and batches of one upstream account; see `pipeline.storage.store.Store` for its calls.

    Every call waits for the whole answer, but that of a content for its head alone. It may be cancelled; what it was to
    do may be done all the same.

    Attributes:
        client: speaks to the upstream.
        max_lines: requests that one batch takes.
        max_bytes: bytes that the input file of a batch may have.
        max_age: seconds that a file may be kept by the client's wish.
        runs_messages: whether lines and outcomes are Anthropic's; the upstream's are OpenAI's.
    """

    client: UpstreamClient
    max_lines: int = 50_000
    max_bytes: int = 200 * 2**20
    max_age: int = UPSTREAM_EXPIRES_AFTER
    runs_messages: bool = False

    async def upload(
        self, fields: Mapping[str, str], filename: str, file: IO[bytes], size: int
    ) -> dict[str, Any] | Failure:
        """Keep a file, sent from its beginning; `fields` has its purpose."""
        form = _Form(fields, filename, file, size)
        headers = {"content-type": form.content_type, "content-length": str(form.length)}
        told = await self._json("POST", "/files", form, headers)
        if isinstance(told, Failure) and is_out_of_space(told.message[:_SEARCHED]):
            return attrs.evolve(told, kind=Kind.INVALID_REQUEST, error_code=OUT_OF_SPACE)
        return told

    async def file(self, ident: str) -> dict[str, Any] | Failure:
        """Say what is known about a file."""
        return await self._json("GET", f"/files/{quote(ident, safe='')}")

    async def files(self, query: Mapping[str, str]) -> dict[str, Any] | Failure:
        """Give a page of files."""
        return await self._page(f"/files?{urlencode(query)}")

    async def delete(self, ident: str) -> dict[str, Any] | Failure:
        """Delete a file."""
        return await self._json("DELETE", f"/files/{quote(ident, safe='')}")

    async def content(self, ident: str) -> UpstreamResponse | Failure:
        """Begin to read a file."""
        return await self.client.call("GET", f"/files/{quote(ident, safe='')}/content")

    async def create_batch(self, request: Mapping[str, Any]) -> dict[str, Any] | Failure:
        """Begin a batch."""
        body = json.encode(request)
        return await self._json("POST", "/batches", body, {"content-type": _JSON})

    async def batch(self, ident: str) -> dict[str, Any] | Failure:
        """Say how a batch stands."""
        return await self._json("GET", f"/batches/{quote(ident, safe='')}")

    async def batches(self, query: Mapping[str, str]) -> dict[str, Any] | Failure:
        """Give a page of batches."""
        return await self._page(f"/batches?{urlencode(query)}")

    async def cancel_batch(self, ident: str) -> dict[str, Any] | Failure:
        """Ask that a batch be ended."""
        return await self._json("POST", f"/batches/{quote(ident, safe='')}/cancel", b"", {"content-type": _JSON})

    async def delete_batch(self, batch: Mapping[str, Any]) -> Failure | None:
        """Delete the files of a batch, since a batch itself cannot be deleted; those that are gone already count."""
        for ident in [batch[name] for name in _FILES_OF_A_BATCH if batch.get(name)]:
            told = await self.delete(ident)
            if isinstance(told, Failure) and told.kind is not Kind.NOT_FOUND:
                return told
        return None

    async def container(self, ident: str) -> dict[str, Any] | Failure:
        """Say how a machine stands on which code has run."""
        return await self._json("GET", f"/containers/{quote(ident, safe='')}")

    async def container_file(self, made: CodeFile) -> dict[str, Any] | Failure:
        """Say what is known about a file that code has made."""
        return await self._json("GET", _in_container(made))

    async def container_content(self, made: CodeFile) -> UpstreamResponse | Failure:
        """Begin to read such a file."""
        return await self.client.call("GET", f"{_in_container(made)}/content")

    async def delete_container_file(self, made: CodeFile) -> dict[str, Any] | Failure:
        """Delete such a file."""
        return await self._json("DELETE", _in_container(made))

    async def _page(self, path: str) -> dict[str, Any] | Failure:
        page = await self._json("GET", path)
        if isinstance(page, Failure):
            return page
        data = page.get("data")
        whole = isinstance(data, list) and all(isinstance(one, dict) and "id" in one for one in data)
        return page if whole else _UNREADABLE

    async def _json(
        self,
        method: str,
        path: str,
        content: httpx.AsyncByteStream | bytes = b"",
        headers: Mapping[str, str] | None = None,
    ) -> dict[str, Any] | Failure:
        answer = await self.client.call(method, path, content, headers)
        if isinstance(answer, Failure):
            return answer
        async with answer:
            body = await answer.read(MAX_ANSWER)
        if isinstance(body, Failure):
            return body
        try:
            value = json.decode(body)
        except json.MalformedJson:
            return _UNREADABLE
        return value if isinstance(value, dict) and (value.get("id") or "data" in value) else _UNREADABLE


def _in_container(made: CodeFile) -> str:
    return f"/containers/{quote(made.container, safe='')}/files/{quote(made.file, safe='')}"


def _quoted(filename: str) -> str:
    """A name inside quotes, as browsers write it."""
    return filename.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")
