"""A smoke test of the installed wheel, run by `make wheel` in a venv of its own, from a folder without our sources.

Needs the standard library only: what is tested is what a user has after `pip install`, and pytest is not in it.
"""

from __future__ import annotations

import importlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

COMMAND = Path(sys.executable).with_name("dragoman")
TIMEOUT = 30.0
"""Seconds that anything here may take before it counts as hung."""

# Another proxy's or key's settings would decide what is tested.
ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith(("DRAGOMAN_", "OPENAI_"))}


def imported_from_the_wheel(_address: str) -> None:
    """The packages come from this venv, and `tests` is not among them."""
    for name in ("pipeline", "stages"):
        origin = Path(importlib.import_module(name).__path__[0])
        assert origin.is_relative_to(sys.prefix), f"{name} comes from {origin}"
    assert not Path("pipeline").exists(), "run this from a folder without the sources"


def demo_runs(_address: str) -> None:
    """`dragoman demo` ends well and shows something."""
    done = subprocess.run([COMMAND, "demo"], env=ENVIRONMENT, capture_output=True, timeout=TIMEOUT, check=True)
    assert done.stdout.strip()


def health_is_good(address: str) -> None:
    """The probe answers 200."""
    with urllib.request.urlopen(f"{address}/healthz", timeout=TIMEOUT) as answer:
        assert answer.status == 200


def _post(address: str, **fields: Any) -> bytes:
    body = {"model": "claude-opus-5", "max_tokens": 64, "messages": [{"role": "user", "content": "Hello"}], **fields}
    headers = {"content-type": "application/json", "anthropic-version": "2023-06-01", "x-api-key": "any"}
    request = urllib.request.Request(f"{address}/v1/messages", json.dumps(body).encode(), headers)
    with urllib.request.urlopen(request, timeout=TIMEOUT) as answer:
        whole: bytes = answer.read()
        return whole


def message_is_answered(address: str) -> None:
    """A message without streaming comes back as one, with text in it."""
    message = json.loads(_post(address))
    assert message["type"] == "message"
    assert any(block["type"] == "text" and block["text"] for block in message["content"])


def message_is_streamed(address: str) -> None:
    """A stream begins with `message_start`, ends with `message_stop`, and each once."""
    names = [line[7:] for line in _post(address, stream=True).decode().splitlines() if line.startswith("event: ")]
    assert (names[0], names[-1]) == ("message_start", "message_stop")
    assert names.count("message_stop") == 1


CHECKS: tuple[Callable[[str], None], ...] = (
    imported_from_the_wheel,
    demo_runs,
    health_is_good,
    message_is_answered,
    message_is_streamed,
)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait_until_ready(address: str, server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + TIMEOUT
    while time.monotonic() < deadline and server.poll() is None:
        try:
            health_is_good(address)
        except (urllib.error.URLError, ConnectionError):
            # A process on its way up gives no sign but the port itself.
            time.sleep(0.05)  # noqa: TID251 - a script without trio, and without a clock to jump
        else:
            return
    sys.exit(f"the server did not come up (exit status {server.poll()})")


def main() -> int:
    """Start the installed server, run all checks against it, stop it; return 1 if anything failed."""
    port = _free_port()
    address = f"http://127.0.0.1:{port}"
    server = subprocess.Popen([COMMAND, "serve", "--port", str(port), "--upstream", "emulator"], env=ENVIRONMENT)
    try:
        _wait_until_ready(address, server)
        failed = sum(not _passes(check, address) for check in CHECKS)
    finally:
        server.send_signal(signal.SIGTERM)
        status = server.wait(TIMEOUT)
    stopped = status in {0, -signal.SIGTERM}
    print(f"{'ok' if stopped else 'FAILED'}  the server stops when told to (exit status {status})")
    return 1 if failed or not stopped else 0


def _passes(check: Callable[[str], None], address: str) -> bool:
    try:
        check(address)
    except Exception as error:  # noqa: BLE001 - however a check fails, the others still run
        print(f"FAILED  {check.__doc__} ({error!r})")
        return False
    print(f"ok  {check.__doc__}")
    return True


if __name__ == "__main__":
    sys.exit(main())
