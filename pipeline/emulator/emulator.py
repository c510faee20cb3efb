"""The emulator behind its paths: what it remembers, and which path does what."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any, TypeAlias
from urllib.parse import parse_qsl

from pipeline.emulator.account import Account
from pipeline.emulator.answer import EmulatedAnswer, answer, counted, faulty, plain, raw
from pipeline.emulator.checks import refused_count
from pipeline.emulator.faults import NOT_JSON, Fault, no_such_path
from pipeline.emulator.usage import PrefixCache
from stages.wire import json

EMULATED_MODELS = (
    "gpt-6.2-astra",
    "gpt-6.2-sol",
    "gpt-6.1-sol",
    "gpt-6.1-terra",
    "gpt-6-astra",
    "gpt-6-sol",
    "gpt-6-luna",
    "gpt-5.6",
    "gpt-5.6-terra",
    "gpt-5.6-luna",
    "gpt-5.5",
    "gpt-5.4",
    "gpt-5.4-mini",
    "gpt-5.3-codex",
    "gpt-4.1",
)
"""The models it lists; requests may name any other."""

_REMEMBERED = 1000


class Emulator:
    """A small Responses API: bytes of a request in, an answer out, no IO.

    Args:
        remembered: how many requests are kept for whoever wants to look at them.

    Attributes:
        account: the files, batches and containers that were made.
    """

    def __init__(self, remembered: int = _REMEMBERED) -> None:
        self._requests: deque[dict[str, Any]] = deque(maxlen=remembered)
        self._counted: deque[dict[str, Any]] = deque(maxlen=remembered)
        self._cache = PrefixCache()
        self.account = Account()

    @property
    def requests(self) -> list[dict[str, Any]]:
        """The latest bodies of `POST /responses`, oldest first, refused ones included."""
        return list(self._requests)

    @property
    def counted(self) -> list[dict[str, Any]]:
        """The latest bodies of `POST /responses/input_tokens`, oldest first."""
        return list(self._counted)

    def respond(self, method: str, target: str, body: bytes = b"", content_type: str = "") -> EmulatedAnswer:
        """Answer one HTTP request; only the end of the path matters, so that any base path works.

        Args:
            method: the HTTP method.
            target: the path, and the query behind its question mark.
            body: the request's body.
            content_type: what that is, for an upload.
        """
        path, _, query = target.partition("?")
        handler = next((found for (verb, end), found in _ROUTES.items() if verb == method and path.endswith(end)), None)
        if handler is not None:
            return handler(self, body)
        told = self.account.respond(method, path, dict(parse_qsl(query)), body, content_type)
        if told is None or isinstance(told, Fault):
            return faulty(told or no_such_path(method, path))
        if isinstance(told, bytes):
            return raw(told)
        return plain(told if isinstance(told, dict) else told.told)

    def _create(self, body: bytes) -> EmulatedAnswer:
        request = _decoded(body)
        if request is None:
            return faulty(NOT_JSON)
        self._requests.append(request)
        return answer(request, self._cache, self.account.containers)

    def _count(self, body: bytes) -> EmulatedAnswer:
        request = _decoded(body)
        if request is None:
            return faulty(NOT_JSON)
        self._counted.append(request)
        fault = refused_count(request)
        return faulty(fault, request) if fault else counted(request)

    def _models(self, _body: bytes) -> EmulatedAnswer:
        data = [
            {"id": name, "object": "model", "created": 1_795_000_000, "owned_by": "dragoman-emulator"}
            for name in EMULATED_MODELS
        ]
        return plain({"object": "list", "data": data})


def _decoded(body: bytes) -> dict[str, Any] | None:
    try:
        value = json.decode(body)
    except json.MalformedJson:
        return None
    return value if isinstance(value, dict) else None


_Handler: TypeAlias = Callable[[Emulator, bytes], EmulatedAnswer]
_ROUTES: dict[tuple[str, str], _Handler] = {
    ("POST", "/responses/input_tokens"): Emulator._count,  # noqa: SLF001
    ("POST", "/responses"): Emulator._create,  # noqa: SLF001
    ("GET", "/models"): Emulator._models,  # noqa: SLF001
}
