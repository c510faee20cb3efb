"""What runs have found, kept beside the harness for the report: a JSON file for each kind of run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "measured"
"""Where the figures lie."""


def note(name: str, figures: dict[str, Any]) -> None:
    """Keep what a run has found, and show it."""
    FOLDER.mkdir(exist_ok=True)
    text = json.dumps(figures, indent=1, ensure_ascii=False, sort_keys=True) + "\n"
    (FOLDER / f"{name}.json").write_text(text, encoding="utf-8")
    print(text, end="")


def noted(name: str) -> dict[str, Any]:
    """What the last such run has found; empty if there was none."""
    file = FOLDER / f"{name}.json"
    found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    return found
