"""Forms as clients write them."""

from __future__ import annotations

BOUNDARY = "b0undary"
CONTENT_TYPE = f"multipart/form-data; boundary={BOUNDARY}"


def form(*parts: tuple[str, bytes] | tuple[str, bytes, str, str]) -> bytes:
    """Write a form of fields (name, value) and files (name, bytes, filename, type)."""
    written = b""
    for name, data, *file in parts:
        told = f'; filename="{file[0]}"' if file and file[0] is not None else ""
        kind = f"Content-Type: {file[1]}\r\n" if file and file[1] else ""
        head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"{told}\r\n{kind}\r\n'
        written += head.encode() + data + b"\r\n"
    return written + f"--{BOUNDARY}--\r\n".encode()
