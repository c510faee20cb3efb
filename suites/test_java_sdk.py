"""The Java SDK: texts, streams, tools, thinking, counts, models, refusals, by its documented ways, each once.

Its own tests are not in its packages.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent / "java"
WAYS = re.findall(r"^    static void (\w+)\(\) ", (FOLDER / "Ways.java").read_text(encoding="utf-8"), re.MULTILINE)
MISSING = not all(map(shutil.which, ("mvn", "javac", "java")))
TIMEOUT = 900.0
"""Seconds for a compilation, or a way."""


def _run(*command: str, **variables: str) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        command, env={**os.environ, **variables}, capture_output=True, text=True, timeout=TIMEOUT, check=False
    )
    assert done.returncode == 0, (done.stdout + done.stderr)[-2000:]
    return done


@pytest.fixture(scope="session")
def classes(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Compile the ways; give the path of all that they need."""
    place = tmp_path_factory.mktemp("java")
    listed = place / "path"
    _run("mvn", "-q", "-B", "-f", str(FOLDER), "dependency:build-classpath", f"-Dmdep.outputFile={listed}")
    path = listed.read_text(encoding="utf-8").strip()
    _run("javac", "-nowarn", "-cp", path, "-d", str(place), str(FOLDER / "Ways.java"))
    return f"{place}{os.pathsep}{path}"


@pytest.mark.skipif(MISSING, reason="Java or Maven is not here")
@pytest.mark.parametrize("way", WAYS)
def test_a_way(base_url: str, classes: str, way: str) -> None:
    """Runs to its end."""
    _run("java", "-cp", classes, "Ways", way, BASE_URL=base_url)
