"""The AI SDK on its Anthropic provider: texts, streams, typed answers, tools, thinking, pictures, refusals, errors.

It has no suite for servers, so these are its documented ways (`ai_sdk/ways.mjs`), each once, in node.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent / "ai_sdk"
MODULES = Path(os.environ.get("DRAGOMAN_NODE_MODULES", FOLDER / "node_modules"))
WAYS = re.findall(r"^  async (\w+)\(", (FOLDER / "ways.mjs").read_text(encoding="utf-8"), re.MULTILINE)


@pytest.mark.skipif(not (shutil.which("node") and MODULES.is_dir()), reason="node or the AI SDK is not here")
@pytest.mark.parametrize("way", WAYS)
def test_a_way(base_url: str, way: str) -> None:
    """Runs to its end."""
    environment = {**os.environ, "BASE_URL": base_url}
    command = ["node", str(FOLDER / "ways.mjs"), way]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
