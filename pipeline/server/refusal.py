"""What the server itself has to say, where a request never becomes one that the application could answer."""

from __future__ import annotations

import os

import attrs

from stages.wire import json

_TYPES = {529: "overloaded_error", 408: "timeout_error", 413: "request_too_large", 500: "api_error"}
# Anthropic's words for the few statuses that have one of their own; the others are an `invalid_request_error`.


@attrs.frozen
class Refusal:
    """Why a request is not served: an HTTP status and a sentence that quotes nothing of the request."""

    status: int
    sentence: str

    def answer(self) -> tuple[list[tuple[bytes, bytes]], bytes]:
        """Return headers and body in Anthropic's envelope."""
        ident = f"req_{os.urandom(12).hex()}"
        error = {"type": _TYPES.get(self.status, "invalid_request_error"), "message": self.sentence, "details": None}
        body = json.encode({"type": "error", "error": error, "request_id": ident})
        length = str(len(body)).encode()
        return [
            (b"content-type", b"application/json"),
            (b"content-length", length),
            (b"request-id", ident.encode()),
        ], body


SILENT = Refusal(408, "The request did not arrive in time.")
"""A client that stopped in the middle of its request."""

CROWDED = Refusal(529, "The server waits for too many requests that have not arrived; try again.")
"""A client that sends its request in pieces while others do that too much."""

BROKEN = Refusal(500, "Internal server error")
"""An application that has said nothing."""
