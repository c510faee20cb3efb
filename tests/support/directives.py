"""Prompts for the emulator: what a person types so that its script calls tools."""

from __future__ import annotations

from stages.wire import json


def cue(tool: str, **arguments: object) -> str:
    """Write the step that makes the emulator call a tool."""
    return f"[call:{tool} {json.encode(arguments).decode()}]"


def bash(command: str) -> str:
    """Write the step that makes it run a command."""
    return cue("Bash", command=command, description="Part of a test")


def script(words: str, *steps: str) -> str:
    """Write a prompt whose steps are played one in each turn."""
    return " ".join([words, *(f"[{step}]" for step in steps)])
