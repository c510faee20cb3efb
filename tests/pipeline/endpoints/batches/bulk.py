"""A large batch through real processes: what it costs in memory, and whether every request has its answer.

    python -m tests.pipeline.endpoints.batches.bulk 100000 [local]

It starts the emulator and a server, streams as many requests of three models in, and reads the results. What is lost,
doubled or under the id of another is counted. With `local`, the batch runs here and not on the upstream's Batch API.
"""

from __future__ import annotations

import http.client
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from tests.chaos.measured import note

ROOT = Path(__file__).parents[4]
MODELS = ("claude-sonnet-5-5", "claude-haiku-5-5", "claude-opus-5-5")
PIECE = 2**16


def started(*command: str, **environment: str) -> tuple[subprocess.Popen[str], int]:
    """Start a command that listens on a free port; give its process and the port."""
    process = subprocess.Popen(
        [sys.executable, "-m", "pipeline", *command, "--port", "0"],
        cwd=ROOT,
        env={**os.environ, "DRAGOMAN_LOG_LEVEL": "error", **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout is not None
    line = next(line for line in process.stdout if "http://" in line)
    threading.Thread(target=_drain, args=(process.stdout,), daemon=True).start()
    return process, int(line.split("http://")[1].split(":")[1].split("/")[0].strip())


def _drain(output: IO[str]) -> None:
    """Read what a process writes, so that it need not wait for us."""
    with output:
        output.read()


def body(count: int) -> Iterator[bytes]:
    """Write the requests, in pieces; each is to be answered with its own id."""
    piece = b'{"requests":['
    for at in range(count):
        message = {"role": "user", "content": f"[[say id r{at}]]"}
        params = {"model": MODELS[at % 3], "max_tokens": 100, "system": "Be brief. " * 20, "messages": [message]}
        piece += (b"," if at else b"") + json.dumps({"custom_id": f"r{at}", "params": params}).encode()
        if len(piece) > PIECE:
            yield piece
            piece = b""
    yield piece + b"]}"


def peak(process: subprocess.Popen[str]) -> int:
    """The most memory that a process has had, in megabytes."""
    status = Path(f"/proc/{process.pid}/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith("VmHWM")).split()[1]) // 1024


def wrong_answers(lines: Iterator[bytes], count: int) -> dict[str, int]:
    """Count what is lost, doubled, or under another's id."""
    seen, wrong = Counter[str](), 0
    for line in lines:
        value = json.loads(line)
        seen[value["custom_id"]] += 1
        message = value["result"].get("message") or {"content": [{"text": ""}]}
        wrong += message["content"][-1]["text"].strip() != f"id {value['custom_id']}"
    return {"lost": count - len(seen), "doubled": sum(told > 1 for told in seen.values()), "wrong": wrong}


def run(count: int, server: subprocess.Popen[str], port: int) -> dict[str, int]:
    """Create a batch, wait for it, and read its results; give the most memory until each, and what is wrong."""
    client = http.client.HTTPConnection("127.0.0.1", port, timeout=3600)
    found = {"at rest": peak(server)}
    client.request(
        "POST", "/v1/messages/batches", body(count), {"content-type": "application/json"}, encode_chunked=True
    )
    batch = json.loads(client.getresponse().read())
    found["created"] = peak(server)
    while batch["processing_status"] != "ended":
        threading.Event().wait(0.2)
        client.request("GET", f"/v1/messages/batches/{batch['id']}")
        batch = json.loads(client.getresponse().read())
    found["run"] = peak(server)
    client.request("GET", f"/v1/messages/batches/{batch['id']}/results")
    told = wrong_answers(iter(client.getresponse()), count)
    return {**found, "results": peak(server), **told}


def main() -> None:
    """Run it with as many requests as the command line says."""
    where = "local" if "local" in sys.argv else "upstream"
    emulator, upstream = started("emulate")
    url = f"http://127.0.0.1:{upstream}/v1"
    with tempfile.TemporaryDirectory() as folder:
        server, port = started(
            "serve",
            DRAGOMAN_UPSTREAM_URL=url,
            DRAGOMAN_UPSTREAM_PROFILE="openai",
            DRAGOMAN_TIMING_FIRST_BYTE="900",
            DRAGOMAN_STORAGE_WHERE=where,
            DRAGOMAN_STORAGE_FOLDER=folder,
        )
        count, begun = int(sys.argv[1]), time.monotonic()
        try:
            found = run(count, server, port)
            seconds = round((time.monotonic() - begun) * 10_000 / count)
            note(f"bulk {where}", {"requests": count, **found, "seconds for 10,000": seconds})
        finally:
            server.terminate()
            emulator.terminate()
            server.wait()


if __name__ == "__main__":
    main()
