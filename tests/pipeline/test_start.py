"""What a server imports before it is ready, counted: each module is time at the start, and memory for ever."""

from __future__ import annotations

import subprocess
import sys

from stages.wire import json

PROGRAM = """
import json, sys
import pipeline.cli, pipeline.commands.serve, pipeline.service
import pipeline.endpoints.application, pipeline.server.guard, pipeline.server.serving
print(json.dumps(sorted(sys.modules)))
"""
"""What `dragoman serve` imports on its way to its announcement."""

LATER = {
    "h2",
    "hypercorn.protocol",
    "hypercorn.trio",
    "opentelemetry",
    "prometheus_client",
    "python_multipart",
    "requests",
    "sqlite3",
    "tiktoken",
    "toktok",
    "wsproto",
    "pipeline.bench",
    "pipeline.emulator",
    "pipeline.storage.local",
    "pipeline.telemetry.otlp.exporter",
}
"""What is imported by the first who needs it, if anybody does."""

OURS = 350
"""Modules of our own that a start may import."""


def test_a_start_imports_no_more_than_it_needs() -> None:
    """No vocabulary, no exporter, no emulator, no database, no HTTP/2; and of ours what serves a message (291)."""
    told = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, check=True)
    modules: list[str] = json.decode(told.stdout)
    ours = [name for name in modules if name.partition(".")[0] in ("pipeline", "stages")]

    assert LATER.isdisjoint(modules)
    assert len(ours) < OURS
