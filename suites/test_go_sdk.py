"""The Go SDK's own tests, which its authors run on a mock server that answers anything to anything.

dragoman answers as the API does, so what asks for things that are not there, or for all options at once, is refused:
each such test has a row here that says with which words.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

SDK = Path(os.environ.get("DRAGOMAN_GO_SDK", Path(__file__).parent / "go" / "sdk"))
TESTS = "Message|Model|File|Completion|Client|Usage$|AutoPag|Context|Retry|Tool"
"""What is about endpoints that dragoman has, and about the client itself."""

REFUSED = {
    r"Test(Beta)?MessageBatch(Get|Delete|Cancel)WithOptionalParams": "Batch not found: message_batch_id",
    r"Test(Beta)?File(Delete|GetMetadata)WithOptionalParams": "File not found: file_id",
    r"Test(Beta)?ModelGetWithOptionalParams": "model: model_id",
    r"Test(Beta)?(MessageBatch|Model)ListWithOptionalParams": "after_id: cannot be given together with before_id",
    r"TestFileListWithOptionalParams": "ids: cannot be given together with limit",
    r"TestMessageNewWithOptionalParams": "citations are not permitted on text of user messages",
    r"Test(Beta)?MessageCountTokensWithOptionalParams": "citations are not permitted on text of user messages",
    r"TestBetaMessageNewWithOptionalParams": "this server keeps no conversations",
    r"Test(Beta)?MessageBatchNewWithOptionalParams": "none of them is valid",
}
"""Tests that must be refused, and the words."""

COMPILING = 3600.0
"""Seconds for all of it: the package is large."""


@pytest.mark.skipif(not (shutil.which("go") and SDK.is_dir()), reason="go or the SDK is not here")
def test_its_own_tests(base_url: str) -> None:
    """All pass but those that are refused, and those are refused in the words of their row."""
    environment = {**os.environ, "TEST_API_BASE_URL": base_url}
    command = ["go", "test", "-vet=off", "-count=1", "-json", "-run", TESTS, "."]
    run = subprocess.run(
        command, cwd=SDK, env=environment, capture_output=True, text=True, timeout=COMPILING, check=False
    )
    passed, failed, said = set[str](), set[str](), dict[str, str]()
    for line in run.stdout.splitlines():
        told = json.loads(line)
        name = told.get("Test", "").partition("/")[0]
        said[name] = said.get(name, "") + told.get("Output", "")
        if told["Action"] in ("pass", "fail") and name:
            (passed if told["Action"] == "pass" else failed).add(name)

    assert len(passed - failed) > 100, run.stderr[-2000:]
    unexpected = {
        name: said[name][-600:]
        for name in failed
        if not any(re.fullmatch(row, name) and words in said[name] for row, words in REFUSED.items())
    }
    assert unexpected == {}
    assert not any(re.fullmatch(row, name) for row in REFUSED for name in passed - failed)
