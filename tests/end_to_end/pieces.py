"""What a conversation is made of, piece by piece, read from either side by the simplest possible code."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

Blocks = str | list[dict[str, Any]]
"""Content on either wire."""


def pieces_of_request(body: dict[str, Any]) -> Iterator[str]:
    """Read every text, image, document, call and result of a Messages request, in order.

    Left out are blank texts, the billing header and other services' reasoning, which nobody may miss upstream.
    """
    yield from _blocks(body.get("system") or [])
    for message in body["messages"]:
        yield from _blocks(message["content"])


def _blocks(content: Blocks) -> Iterator[str]:
    blocks: list[dict[str, Any]] = [{"type": "text", "text": content}] if isinstance(content, str) else content
    for block in blocks:
        match block["type"]:
            case "text":
                if block["text"].strip() and not block["text"].startswith("x-anthropic-billing-header"):
                    yield block["text"]
            case "image" | "document":
                yield from _source(block["source"])
            case "tool_use":
                yield json.dumps(block["input"], sort_keys=True)
            case "tool_result":
                yield from _blocks(block.get("content") or [])
            case _:
                pass


def _source(source: dict[str, Any]) -> Iterator[str]:
    if source["type"] == "content":
        yield from _blocks(source["content"])
    else:
        yield next(source[name] for name in ("data", "url", "file_id") if name in source)


def pieces_of_upstream(body: dict[str, Any]) -> Iterator[str]:
    """Read every text, address and argument object of a Responses request, in order."""
    if "instructions" in body:
        yield body["instructions"]
    for item in body["input"]:
        match item["type"]:
            case "message":
                yield from _parts(item["content"])
            case "function_call":
                yield json.dumps(json.loads(item["arguments"]), sort_keys=True)
            case "function_call_output":
                yield from _parts(item["output"])
            case _:
                pass


def _parts(content: Blocks) -> Iterator[str]:
    for part in [{"text": content}] if isinstance(content, str) else content:
        yield next(part[name] for name in ("text", "image_url", "file_data", "file_url", "file_id") if name in part)
