"""Input items, content parts and tools of a Responses request: their shapes, in one fixed key order.

The upstream caches by prefix, so the same thing must become the same bytes in every turn; all of them are made here.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

import attrs

from stages.wire import json

Item = dict[str, Any]
"""An element of `input`."""

ContentPart = dict[str, Any]
"""An element of a message's `content` or of a call's `output`."""


def input_text(text: str) -> ContentPart:
    """Text that goes in."""
    return {"type": "input_text", "text": text}


def output_text(text: str, annotations: Sequence[dict[str, Any]] = ()) -> ContentPart:
    """Text that came out in an earlier turn, with what it cited."""
    return {"type": "output_text", "text": text, "annotations": list(annotations)}


def input_image(url: str) -> ContentPart:
    """A picture, by address or as a `data:` URL."""
    return {"type": "input_image", "image_url": url, "detail": "auto"}


def input_image_file(file_id: str) -> ContentPart:
    """A picture that was uploaded."""
    return {"type": "input_image", "file_id": file_id, "detail": "auto"}


def input_file_data(filename: str, media_type: str, data: str) -> ContentPart:
    """A file with its bytes in base64."""
    return {"type": "input_file", "filename": filename, "file_data": f"data:{media_type};base64,{data}"}


def input_file_url(url: str) -> ContentPart:
    """A file that the upstream fetches."""
    return {"type": "input_file", "file_url": url}


def input_file_id(file_id: str) -> ContentPart:
    """A file that was uploaded."""
    return {"type": "input_file", "file_id": file_id}


def with_breakpoint(part: ContentPart, *, lasting: bool) -> ContentPart:
    """The same part as the marked end of a prefix worth caching: for at least 12 hours if `lasting`, else 30 minutes.

    Only `input_*` parts take the mark.
    """
    mark = {"mode": "explicit", "ttl": "12h"} if lasting else {"mode": "explicit"}
    return {**part, "prompt_cache_breakpoint": mark}


def message_item(role: str, content: list[ContentPart], phase: str = "") -> Item:
    """A message; `phase` belongs to the assistant's alone."""
    item: Item = {"type": "message", "role": role, "content": content}
    return {**item, "phase": phase} if phase else item


@attrs.frozen
class Said:
    """A text of the assistant's.

    Attributes:
        text: what it said.
        annotations: what it cited.
        phase: in which phase it did; empty where that is not known.
    """

    text: str = attrs.field(repr=False)
    annotations: Sequence[dict[str, Any]] = attrs.field(default=(), repr=False)
    phase: str = ""


def assistant_message(said: Said, spelling: str, at: int) -> Item:
    """A text of the assistant's, in one of the spellings that servers take.

    `string` is the one that OpenAI's description and nearly all servers take; only a text with annotations needs a
    part. `part` is that part alone, which OpenAI takes as well. `item` is what servers return, with an id and a status;
    the id is made of the text and its place, so that it is the same in every turn.

    Args:
        said: the text.
        spelling: `string`, `item` or `part`.
        at: its index in the input.
    """
    if spelling == "string" and not said.annotations:
        item: Item = {"type": "message", "role": "assistant", "content": said.text}
        return {**item, "phase": said.phase} if said.phase else item
    part = output_text(said.text, said.annotations)
    if spelling != "item":
        return message_item("assistant", [part], said.phase)
    item = message_item("assistant", [{**part, "logprobs": []}], said.phase)  # which strict servers miss
    name = hashlib.sha256(f"{at} {said.text}".encode("utf-8", "surrogatepass")).hexdigest()[:40]
    return {"type": "message", "id": f"msg_{name}", "status": "completed", **item}


def function_call(call_id: str, name: str, arguments: dict[str, Any], *, searched: bool = False) -> Item:
    """A call that the model made; `searched` says that a search on the server had found the function.

    The upstream then names it twice, the second time as its namespace (recorded on gpt-5.4 and gpt-5.6).
    """
    item = {"type": "function_call", "call_id": call_id, "name": name, "arguments": arguments_text(arguments)}
    return {**item, "namespace": name} if searched else item


def arguments_text(arguments: dict[str, Any]) -> str:
    """Argument objects as text; lone surrogates stay escapes."""
    return json.encode(arguments).decode("utf-8")


def function_call_output(call_id: str, output: str | list[ContentPart]) -> Item:
    """What came of a call."""
    return {"type": "function_call_output", "call_id": call_id, "output": output}


def sealed_reasoning(encrypted_content: str, summary: tuple[str, ...]) -> Item:
    """A reasoning item that only the account it came from can open.

    Without its id: an item with an id asks that the one after it has its own too, and stateless clients have none.
    """
    parts = [{"type": "summary_text", "text": text} for text in summary]
    return {"type": "reasoning", "summary": parts, "encrypted_content": encrypted_content}


def open_reasoning(texts: tuple[str, ...]) -> Item:
    """A reasoning item of a server that shows its reasoning and takes it back as text."""
    return {"type": "reasoning", "summary": [], "content": [{"type": "reasoning_text", "text": text} for text in texts]}


def additional_tools(tools: list[dict[str, Any]]) -> Item:
    """Tools that the model knows from here on."""
    return {"type": "additional_tools", "role": "developer", "tools": tools}


def effort_update(effort: str) -> Item:
    """A change of effort from here on."""
    return {"type": "configuration_update", "reasoning": {"effort": effort}}


def function_tool(name: str, description: str | None, parameters: dict[str, Any], *, strict: bool) -> dict[str, Any]:
    """A function tool; `strict` is always sent, because its absence means strict upstream."""
    tool: dict[str, Any] = {"type": "function", "name": name}
    if description is not None:
        tool["description"] = description
    return {**tool, "parameters": parameters, "strict": strict}
