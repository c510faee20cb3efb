"""How long the streams of a server stand still while it is sent something large: `make stalls`.

A beat stands for a paced stream: it wants to go on every few milliseconds, and the longest it had to wait is the stall.
On a machine that others use as well most of that is their doing, so two more figures are told. *Own* is the part of a
wait in which this process was busy, in any of its threads: what would be left of it on a machine of its own. *Step* is
the CPU time of the longest piece of work that the loop's own thread did without looking at anybody else.
The client and the upstream are parts of this process, and are kept cheap: bodies are made before, answers thrown away.
"""

from __future__ import annotations

import argparse
import gzip
import time
from collections.abc import Callable
from typing import Any

import attrs
import trio
from structlog.testing import CapturingLogger

from pipeline.bench.canned import WORD, text_script, whole_response
from pipeline.bench.in_memory import SameAnswer, post_in_memory
from pipeline.endpoints.application import Application, application
from pipeline.endpoints.exchange import Headers
from pipeline.service import open_service
from pipeline.serving import tune_interpreter
from pipeline.settings import Settings, UpstreamSettings
from stages.wire import json, sse

BEAT = 0.001
"""Seconds between two beats."""

_WARM = 3
# Small requests before the first large one: what is made once is no stall of that one.


def _asked(*content: Any, stream: bool = True, **fields: Any) -> dict[str, Any]:
    said = [{"role": "user", "content": list(content) or "Hello"}]
    return {"model": "claude-opus-5-5", "max_tokens": 1000, "stream": stream, "messages": said, **fields}


def _tool(at: int) -> dict[str, Any]:
    schema = {"type": "object", "properties": {f"a{at}": {"type": "string"}}}
    return {"name": f"tool_{at}", "description": "Does something.", "input_schema": schema}


def _doubled(levels: int) -> dict[str, Any]:
    """A schema of which each level is twice the next."""
    below = {f"d{at}": {"anyOf": [{"$ref": f"#/$defs/d{at + 1}"}] * 2} for at in range(levels)}
    definitions = {**below, f"d{levels}": {"type": "object", "properties": {"x": {"type": "string"}}}}
    return {"type": "object", "properties": {"a": {"$ref": "#/$defs/d0"}}, "$defs": definitions}


_BLOCK = {"type": "text", "text": "a"}
REQUESTS: dict[str, Callable[[], dict[str, Any]]] = {
    "nothing": _asked,
    "20 KB": lambda: _asked({"type": "text", "text": "lorem ipsum " * 1700}),
    "300 KB of turns": lambda: _asked(*[{"type": "text", "text": f"{at} lorem ipsum " * 60} for at in range(300)]),
    "30 MB in one text": lambda: _asked({"type": "text", "text": "lorem ipsum " * 2_500_000}),
    "30 MB of texts": lambda: _asked(*[{"type": "text", "text": f"{at} lorem" * 300} for at in range(7_500)]),
    "10,000 tools": lambda: _asked(tools=[_tool(at) for at in range(10_000)]),
    "100,000 stop sequences": lambda: _asked(stop_sequences=[f"stop {at}" for at in range(100_000)]),
    "500,000 blocks": lambda: _asked(*[_BLOCK] * 500_000),
    "1,000 blocks in 30 KB": lambda: _asked(*[_BLOCK] * 1_000),
    "30 doubled levels of a schema": lambda: _asked(tools=[{"name": "t", "input_schema": _doubled(30)}]),
}
"""What a client sends, by what is large about it."""

PACKED: dict[str, Callable[[], dict[str, Any]]] = {
    "gzip, 30 MB in one text": REQUESTS["30 MB in one text"],
    "gzip, 500,000 blocks": REQUESTS["500,000 blocks"],
    "gzip, 20 KB": REQUESTS["20 KB"],
}
"""The same in a body that is compressed."""


def _answer() -> bytes:
    script = text_script(3)
    return b"".join(script.pieces)


def _crlf_event(size: int = 8 * 2**20) -> bytes:
    """An answer with one event of some megabytes, in lines that end as few servers end them."""
    line = b": nothing\r\n"
    return line * (size // len(line)) + b"\r\n" + _answer().replace(b"\n", b"\r\n")


def _items(count: int = 8_000) -> bytes:
    """An answer of so many calls, each told as it comes and all of them again at the end."""
    calls = [{"type": "function_call", "id": f"fc_{at}", "call_id": f"c_{at}", "name": "t"} for at in range(count)]
    done = [{**call, "arguments": "{}", "status": "completed"} for call in calls]
    name, end = "response.output_item.done", {"id": "resp_bench", "status": "completed", "output": done}
    told = [json.encode({"type": name, "output_index": at, "item": call}) for at, call in enumerate(done)]
    ending = json.encode({"type": "response.completed", "response": end})
    return b"".join(sse.encode(name, said) for said in told) + sse.encode("response.completed", ending)


def _whole_items(count: int = 8_000) -> bytes:
    """The same number of items in a JSON body."""
    part = {"type": "output_text", "text": "lorem ipsum ", "annotations": []}
    said = [{"type": "message", "id": f"msg_{at}", "role": "assistant", "content": [part]} for at in range(count)]
    return json.encode({"id": "resp_bench", "object": "response", "status": "completed", "output": said})


def _deep_item(size: int = 15 * 2**20) -> bytes:
    """One item that holds as many values as fit into an event."""
    pairs = b"[]," * (size // 3)
    item = b'{"type":"function_call","id":"fc_0","call_id":"c","name":"t","arguments":"{}","extra":[' + pairs + b"0]}"
    said = b'{"type":"response.output_item.done","output_index":0,"item":' + item + b"}"
    return sse.encode("response.output_item.done", said) + _answer()


def _parts(count: int = 150_000) -> bytes:
    """One message of many parts, told as a whole."""
    part = {"type": "output_text", "text": "lorem ipsum ", "annotations": []}
    said = {"type": "message", "id": "msg_0", "role": "assistant", "content": [part] * count}
    return json.encode({"id": "resp_bench", "object": "response", "status": "completed", "output": [said]})


ANSWERS: dict[str, Callable[[], bytes]] = {
    "an answer of 8 MB in CRLF": _crlf_event,
    "an answer of 8,000 items": _items,
    "the same as one body": _whole_items,
    "150,000 parts in one body": _parts,
    "15 MB of text in one body": lambda: whole_response(15 * 2**20 // len(WORD)),
    "15 MB of values in one item": _deep_item,
    "50 MB of text in one body": lambda: whole_response(50 * 2**20 // len(WORD)),
}
"""What an upstream answers, by what is large about it."""


@attrs.define
class Stall:
    """The longest waits of a stream, in seconds.

    Attributes:
        wall: by the clock on the wall.
        own: as far as this process was busy meanwhile.
        step: CPU time of the loop's longest step.
    """

    wall: float = 0.0
    own: float = 0.0
    step: float = 0.0


class _Steps(trio.abc.Instrument):
    """Takes the CPU time of what the loop does between two looks at its sockets."""

    def __init__(self) -> None:
        self.longest = 0.0
        self._began = time.thread_time()

    def after_io_wait(self, timeout: float) -> None:  # noqa: ARG002 - trio names it
        """Begin."""
        self._began = time.thread_time()

    def before_io_wait(self, timeout: float) -> None:  # noqa: ARG002 - trio names it
        """End."""
        self.longest = max(self.longest, time.thread_time() - self._began)


async def _beat(stall: Stall) -> None:
    """Go on and on as a stream does, until cancelled."""
    wall, busy = trio.current_time(), time.process_time()
    while True:
        await trio.sleep(BEAT)
        waited, used = trio.current_time() - wall - BEAT, time.process_time() - busy
        stall.wall, stall.own = max(stall.wall, waited), max(stall.own, min(waited, used))
        wall, busy = trio.current_time(), time.process_time()


async def _measure(app: Application, body: bytes, headers: Headers) -> tuple[int, float, Stall]:
    stall, steps = Stall(), _Steps()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(_beat, stall)
        await trio.sleep(20 * BEAT)
        stall.wall = stall.own = 0.0
        trio.lowlevel.add_instrument(steps)
        began = trio.current_time()
        status = await post_in_memory(app, body, headers)
        took = trio.current_time() - began
        await trio.sleep(5 * BEAT)
        trio.lowlevel.remove_instrument(steps)
        nursery.cancel_scope.cancel()
    stall.step = steps.longest
    return status, took, stall


async def _run(only: list[str]) -> None:
    upstream = SameAnswer(_answer())
    settings = Settings(upstream=UpstreamSettings(url="http://bench/v1"))
    async with open_service(settings, transport=upstream, log=CapturingLogger()) as context:
        app = application(context)
        for _ in range(_WARM):
            await post_in_memory(app, json.encode(_asked()), [])
        tune_interpreter()  # as a server does
        print(f"{'beside':32} {'MB':>6} {'status':>6} {'took ms':>9} {'stall ms':>9} {'own ms':>9} {'step ms':>9}")
        for name, make in _chosen(REQUESTS, only):
            body = json.encode(make())
            _print(name, body, *await _measure(app, body, []))
        for name, make in _chosen(PACKED, only):
            body = gzip.compress(json.encode(make()), 1)
            _print(name, body, *await _measure(app, body, [(b"content-encoding", b"gzip")]))
        for name, answer in _chosen(ANSWERS, only):
            upstream.said = answer()
            for stream in (True, False):
                asked = json.encode(_asked(stream=stream))
                _print(name if stream else "  not streamed", upstream.said, *await _measure(app, asked, []))


def _chosen(table: dict[str, Callable[[], Any]], only: list[str]) -> list[tuple[str, Callable[[], Any]]]:
    return [(name, make) for name, make in table.items() if not only or name in only]


def _print(name: str, body: bytes, status: int, took: float, stall: Stall) -> None:
    """Print a line; times are told in milliseconds."""
    times = "".join(f"{seconds * 1000:10.1f}" for seconds in (took, stall.wall, stall.own, stall.step))
    print(f"{name:32} {len(body) / 2**20:6.1f} {status:6}{times}", flush=True)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("only", nargs="*", help="names of what to measure; all if none is given")
    trio.run(_run, parser.parse_args().only)


if __name__ == "__main__":
    main()
