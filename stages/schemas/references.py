"""Local references between parts of a JSON schema: `#`, `#/$defs/x`, and any other JSON pointer."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import unquote

from stages.canonical.request import JsonObject

_INDEX = re.compile("[0-9]{1,9}")


def resolve_reference(document: JsonObject, reference: Any) -> Any:
    """Find what a `$ref` points to inside its own document; None when that is nothing there, or elsewhere."""
    if not isinstance(reference, str) or not reference.startswith("#"):
        return None
    if reference not in ("#", "#/") and not reference.startswith("#/"):
        return None
    target: Any = document
    for step in reference[2:].split("/") if len(reference) > len("#/") else ():
        name = unquote(step).replace("~1", "/").replace("~0", "~")
        if isinstance(target, dict):
            target = target.get(name)
        elif isinstance(target, list) and _INDEX.fullmatch(name) and int(name) < len(target):
            target = target[int(name)]
        else:
            return None
    return target
