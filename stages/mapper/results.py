"""What goes back for a call: its result, as a string or in parts."""

from __future__ import annotations

from stages.wire import responses_request as responses
from stages.wire.responses_request import ContentPart

ERROR_MARK = "[error]"
"""What leads the output of a call that failed: the upstream has no flag for it."""


def output_of(parts: list[ContentPart], *, is_error: bool) -> str | list[ContentPart]:
    """A string where one says it all, else the list form, which keeps pictures, files and borders."""
    texts = [part["text"] for part in parts if part["type"] == "input_text"]
    if len(parts) == len(texts) and len(texts) <= 1:
        text = "".join(texts)
        return f"{ERROR_MARK} {text}".strip() if is_error else text
    return [responses.input_text(ERROR_MARK), *parts] if is_error else parts
