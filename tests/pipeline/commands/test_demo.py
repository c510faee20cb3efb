"""`dragoman demo`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pipeline.cli import main

if TYPE_CHECKING:
    import pytest


def test_the_batch(capsys: pytest.CaptureFixture[str]) -> None:
    """It is made, looked at until it has ended, read and deleted; a wrong request is its own result."""
    assert main(["demo", "batch", "--delay", "0"]) == 0

    said = capsys.readouterr().out
    assert "4 processing" in said
    assert "ended 3 succeeded, 1 errored" in said
    assert "Good morning, from a batch." in said
    assert re.search(r"wrong +errored .*max_tokens", said)
    assert "message_batch_deleted" in said


def test_the_exchange(capsys: pytest.CaptureFixture[str]) -> None:
    """Thinking, text and a call stream by; the reasoning is back on the second turn; the cache pays."""
    assert main(["demo", "--delay", "0"]) == 0

    said = capsys.readouterr().out
    assert "\x1b" not in said  # no terminal, no colour
    first, second = said.split("tool     Read:")
    assert "block 0: thinking" in first
    assert '{"file_path":"notes.txt","limit":20}' in re.sub(r"\s", "", first)
    assert "stop_reason tool_use" in first
    assert "back in its place" not in first
    assert "the reasoning of the turn before is back in its place" in second
    assert "stop_reason end_turn" in second
    assert re.search(r"[1-9]\d* read from the cache \([1-9]\d*%\)", second)
