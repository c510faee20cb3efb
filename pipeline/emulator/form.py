"""Forms: the `multipart/form-data` body of an upload, taken apart in memory, since an emulator's files are small."""

from __future__ import annotations

import re

from attrs import field, frozen

_BOUNDARY = re.compile(r'boundary="?([^";]+)"?')
_NAME = re.compile(rb'[; ]name="([^"]*)"')
_FILENAME = re.compile(rb'filename="([^"]*)"')


@frozen
class FormPart:
    """One field of a form; `filename` is None where it is no file."""

    name: str
    data: bytes = field(repr=False)
    filename: str | None = field(default=None, repr=False)


def form_parts(content_type: str, body: bytes) -> dict[str, FormPart]:
    """Take a form apart; what is no form has no fields. Parts keep the order in which they came."""
    found = _BOUNDARY.search(content_type)
    if found is None:
        return {}
    parts: dict[str, FormPart] = {}
    for piece in body.split(b"--" + found[1].encode())[1:-1]:
        head, _, data = piece.removeprefix(b"\r\n").partition(b"\r\n\r\n")
        if (name := _NAME.search(head)) is not None:
            filename = _FILENAME.search(head)
            told = None if filename is None else filename[1].decode("utf-8", "replace")
            parts[name[1].decode()] = FormPart(name[1].decode(), data.removesuffix(b"\r\n"), told)
    return parts
