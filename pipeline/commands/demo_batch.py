"""`dragoman demo batch`: a batch from its creation to its results, on the built-in emulator, without a key."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import trio

from stages.wire import json

if TYPE_CHECKING:
    import httpx

    from pipeline.commands.screen import Screen

_BATCHES = "/v1/messages/batches"
"""Where batches are made."""

_PAUSE = 0.2  # seconds between two looks: the emulator goes on with each
_WIDTH = 72


def requests() -> list[dict[str, Any]]:
    """The requests of the batch: of two models, one that calls a tool, and one that is wrong."""
    return [
        _asked("hello", "claude-sonnet-5-5", "[[say Good morning, from a batch.]]"),
        _asked("other-model", "claude-haiku-5-5", "[[text]]"),
        _asked("with-a-tool", "claude-sonnet-5-5", '[[call:weather {"city": "Bern"}]]', tools=[_TOOL]),
        _asked("wrong", "claude-sonnet-5-5", "never answered", max_tokens="many"),
    ]


async def play_batch(out: Screen, client: httpx.AsyncClient) -> int:
    """Make a batch, wait for its end, and show its results; return 0, or 1 if it could not be made.

    Waits for all of that; cancelled, the emulator keeps what there is of it.
    """
    asked = requests()
    reply = await client.post(_BATCHES, json={"requests": asked})
    batch = reply.json()
    if not reply.is_success:
        out.line(out.red(batch["error"]["message"]))
        return 1
    out.line(f"{out.bold('batch')}    {batch['id']}: {len(asked)} requests, {batch['processing_status']}")
    while batch["processing_status"] != "ended":
        await trio.sleep(_PAUSE)
        batch = (await client.get(f"{_BATCHES}/{batch['id']}")).json()
        out.line(f"  {out.dim('poll')}   {out.cyan(batch['processing_status'])} {_counts(batch['request_counts'])}")
    out.line(f"\n{out.bold('results')}  {out.dim(batch['results_url'])}")
    for line in (await client.get(batch["results_url"])).text.splitlines():
        result = json.decode(line.encode())
        out.line(f"  {result['custom_id']:12} {_told(out, result['result'])}")
    deleted = (await client.delete(f"{_BATCHES}/{batch['id']}")).json()
    out.line(f"\n{out.bold('deleted')}  {out.dim(deleted['type'])}")
    return 0


_TOOL = {"name": "weather", "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}}}


def _asked(custom_id: str, model: str, prompt: str, **more: Any) -> dict[str, Any]:
    messages = [{"role": "user", "content": prompt}]
    return {"custom_id": custom_id, "params": {"model": model, "max_tokens": 200, "messages": messages, **more}}


def _counts(counts: dict[str, int]) -> str:
    return ", ".join(f"{count} {name}" for name, count in counts.items() if count)


def _told(out: Screen, result: dict[str, Any]) -> str:
    """What came of one request, on one line."""
    if result["type"] == "succeeded":
        block = result["message"]["content"][-1]
        said = block.get("text") or json.encode(block.get("input")).decode()
        return f"{out.green('succeeded')} {result['message']['model']}: {said[:_WIDTH]}"
    return f"{out.red(result['type'])} {result.get('error', {}).get('error', {}).get('message', '')[:_WIDTH]}"
