"""Ids and sealed reasoning: all that looks random in an answer, derived from the request alone.

The same request therefore gives the same answer, and no state is needed to know one's own seal again.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import string
from typing import Any

from attrs import frozen

from stages.wire import json

_ALPHABET = string.ascii_letters + string.digits
_KEY = b"dragoman emulator: a seal, no secret"
_EPOCH = 1_795_000_000
_MAC = hashlib.sha256().digest_size
_FILLER = {"added": 610, "done": 720, "completed": 720}
"""Bytes of padding by stage: recorded seals are near 0.9 kB when an item is added, and longer when it is done."""


def hexadecimal(seed: bytes, label: str, length: int) -> str:
    """Derive `length` hexadecimal digits."""
    return hashlib.shake_256(seed + label.encode()).hexdigest((length + 1) // 2)[:length]


def letters(seed: bytes, label: str, length: int) -> str:
    """Derive `length` letters and digits."""
    return "".join(_ALPHABET[byte % len(_ALPHABET)] for byte in hashlib.shake_256(seed + label.encode()).digest(length))


@frozen
class AnswerIds:
    """The ids of one answer, by output index."""

    seed: bytes

    @classmethod
    def of(cls, request: dict[str, Any]) -> AnswerIds:
        """Derive them from a request; how the answer is delivered makes no difference."""
        asked = {key: value for key, value in request.items() if key not in ("stream", "stream_options")}
        return cls(hashlib.sha256(json.encode(asked)).digest())

    @property
    def created_at(self) -> int:
        """A time of creation, in seconds since 1970, within the twelve days after the emulator's epoch."""
        return _EPOCH + int.from_bytes(self.seed[:4], "big") % 1_000_000

    @property
    def response(self) -> str:
        """The response's own id, `resp_` and 50 digits."""
        return self._id("resp", "response")

    @property
    def request(self) -> str:
        """The id in the `x-request-id` header."""
        return "req_" + hexadecimal(self.seed, "request", 32)

    def item(self, prefix: str, index: int) -> str:
        """Name the output item at `index`; prefixes are `rs`, `msg`, `fc`, `ws` and `ci`."""
        return self._id(prefix, f"item {index}")

    def call(self, index: int) -> str:
        """Name the call made by the output item at `index`: `call_` and 24 letters, as recorded."""
        return "call_" + letters(self.seed, f"call {index}", 24)

    @property
    def container(self) -> str:
        """Name the machine that code runs on: `cntr_` and 48 digits, as recorded."""
        return f"cntr_{hexadecimal(self.seed, 'container', 48)}"

    def container_file(self, name: str) -> str:
        """Name a file that code has made: `cfile_` and 32 digits, as recorded."""
        return f"cfile_{hexadecimal(self.seed, f'file {name}', 32)}"

    def padding(self, delta: str, number: int) -> str:
        """Make the `obfuscation` of a delta: with it, each is a multiple of 16 long."""
        return letters(self.seed, f"pad {number}", -len(delta) % 16)

    def _id(self, prefix: str, label: str) -> str:
        # Recorded ids of one response share their first 16 digits.
        return f"{prefix}_{hexadecimal(self.seed, 'all', 16)}{hexadecimal(self.seed, label, 34)}"


def seal_reasoning(item_id: str, stage: str, created_at: int) -> str:
    """Make the `encrypted_content` of a reasoning item; it differs between `added`, `done` and `completed`."""
    name = item_id.encode()
    filler = hashlib.shake_256(f"{item_id} {stage}".encode()).digest(_FILLER[stage])
    payload = b"\x80" + created_at.to_bytes(8, "big") + bytes([len(name)]) + name + filler
    return base64.urlsafe_b64encode(payload + hmac.digest(_KEY, payload, "sha256")).decode()


def unseal(encrypted: str) -> str | None:
    """Tell for which item a seal was made; None for one that the emulator never made, or that was changed."""
    try:
        raw = base64.b64decode(encrypted, altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return None
    payload, mac = raw[:-_MAC], raw[-_MAC:]
    if len(payload) <= 10 or not hmac.compare_digest(hmac.digest(_KEY, payload, "sha256"), mac):  # noqa: PLR2004
        return None
    return payload[10 : 10 + payload[9]].decode("ascii", "replace")
