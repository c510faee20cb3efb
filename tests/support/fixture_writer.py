"""The phrasebook under `fixtures/`: requests and answers of ours, each beside what dragoman makes of it.

A case is a folder. What somebody says is written by hand (`request.json`, `upstream.sse`); what dragoman says is
written by `make fixtures`, read by a person when it changes, and compared by a test.

    fixtures/requests/<case>/   request.json -> upstream.json, report.json
    fixtures/answers/<case>/    request.json + upstream.sse -> client.sse, message.json
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

import trio

from stages.wire.json import encode
from tests.conftest import ROOT
from tests.support.running import client_of
from tests.support.upstream import Script, ScriptedUpstream

FIXTURES = ROOT / "fixtures"

WRITTEN_BY_HAND = ("request.json", "upstream.sse")
"""What a person writes; the rest of a case is dragoman's."""

Said = dict[str, bytes]
"""What dragoman says in one case: file name to contents."""

_IDS = re.compile(rb'"(msg|req)_(?:[0-9a-f]{24}|[0-9a-zA-Z]{24})"')
# Made anew for every answer; the phrasebook shows that they are there, not which.


def cases(kind: str) -> list[Path]:
    """List the cases of a kind, `requests` or `answers`."""
    return sorted(path.parent for path in FIXTURES.glob(f"{kind}/*/request.json"))


def said_in(case: Path) -> dict[str, bytes]:
    """Read what a case says that dragoman says."""
    return {path.name: path.read_bytes() for path in sorted(case.iterdir()) if path.name not in WRITTEN_BY_HAND}


async def request_said(case: Path) -> Said:
    """Ask what becomes of a request."""
    client = client_of(ScriptedUpstream(Script()))
    reply = await client.request("POST", "/v1/messages/explain", (case / "request.json").read_bytes())
    told = reply.json()
    if reply.status >= 400:
        return {"report.json": _pretty(told)}
    return {"upstream.json": _pretty(told.pop("upstream")), "report.json": _pretty(told)}


async def answer_said(case: Path) -> Said:
    """Have an upstream's answer told to a client, streamed and whole."""
    request = json.loads((case / "request.json").read_bytes())
    steps = [(case / "upstream.sse").read_bytes()]
    streamed = await client_of(ScriptedUpstream(Script(steps))).messages(request | {"stream": True})
    whole = await client_of(ScriptedUpstream(Script(steps))).messages(request | {"stream": False})
    spoken = "client.sse" if streamed.headers["content-type"].startswith("text/event-stream") else "client.json"
    return {
        spoken: streamed.body if spoken == "client.sse" else _pretty(streamed.json()),
        "message.json": _pretty(whole.json()),
    }


def without_ids(said: bytes) -> bytes:
    """Put one id for all that are made anew."""
    return _IDS.sub(rb'"\1_fixture"', said)


def _pretty(value: Any) -> bytes:
    json.loads(encode(value))  # what cannot be sent cannot be shown
    return json.dumps(value, indent=1, ensure_ascii=False).encode() + b"\n"


async def _write() -> None:
    for kind, say in (("requests", request_said), ("answers", answer_said)):
        for case in cases(kind):
            for stale in said_in(case):
                (case / stale).unlink()
            for name, contents in (await say(case)).items():
                (case / name).write_bytes(without_ids(contents))
                sys.stdout.write(f"{case.relative_to(ROOT) / name}\n")


if __name__ == "__main__":
    trio.run(_write)
