"""What keeps files and batches, wherever that is: the calls of OpenAI's two APIs, with their objects."""

from __future__ import annotations

from collections.abc import Mapping
from typing import IO, Any, Protocol, Self

from stages.canonical.failure import Failure


class StoredBytes(Protocol):
    """The bytes of a file as they come; an async context manager, which lets go of them."""

    def __aiter__(self) -> Self:
        """Return itself."""
        ...

    async def __anext__(self) -> bytes | Failure:
        """Wait for the next bytes, or for how they broke off."""
        ...

    async def __aenter__(self) -> Self:
        """Return itself."""
        ...

    async def __aexit__(self, *_: object) -> None:
        """Let go of what is left."""
        ...


class Store(Protocol):
    """Files and batches of one upstream.

    Every call waits for the whole answer and may be cancelled; what it was to do may be done all the same.  What is not
    there is a `Failure` of the kind `NOT_FOUND`.
    """

    @property
    def max_lines(self) -> int:
        """Requests that one batch takes."""
        ...

    @property
    def max_bytes(self) -> int:
        """Bytes that the input file of a batch may have."""
        ...

    @property
    def max_age(self) -> int:
        """Seconds that a file may be kept by the client's wish."""
        ...

    @property
    def runs_messages(self) -> bool:
        """Whether lines and outcomes are Anthropic's; else both are OpenAI's, and a batch has one model."""
        ...

    async def upload(
        self, fields: Mapping[str, str], filename: str, file: IO[bytes], size: int
    ) -> dict[str, Any] | Failure:
        """Keep a file, from its beginning; `fields` has its `purpose` and perhaps `expires_after[seconds]`."""
        ...

    async def file(self, ident: str) -> dict[str, Any] | Failure:
        """Say what is known about a file."""
        ...

    async def files(self, query: Mapping[str, str]) -> dict[str, Any] | Failure:
        """Give a page of files: `purpose`, `limit`, `order` and `after` choose them."""
        ...

    async def delete(self, ident: str) -> dict[str, Any] | Failure:
        """Delete a file."""
        ...

    async def content(self, ident: str) -> StoredBytes | Failure:
        """Begin to read a file."""
        ...

    async def create_batch(self, request: Mapping[str, Any]) -> dict[str, Any] | Failure:
        """Begin a batch of an input file's lines."""
        ...

    async def batch(self, ident: str) -> dict[str, Any] | Failure:
        """Say how a batch stands."""
        ...

    async def batches(self, query: Mapping[str, str]) -> dict[str, Any] | Failure:
        """Give a page of batches, newest first: `limit` and `after` choose them."""
        ...

    async def cancel_batch(self, ident: str) -> dict[str, Any] | Failure:
        """Ask that a batch be ended."""
        ...

    async def delete_batch(self, batch: Mapping[str, Any]) -> Failure | None:
        """Delete a batch that has ended, or as much of it as can be: its files."""
        ...
