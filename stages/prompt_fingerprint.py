"""What an upstream request looks like to a prompt cache: a fingerprint of each part, in the order in which it reads.

Two turns of a conversation are compared by these, to say what changed first when the cache was missed (law 9 says that
nothing should). A part is known by its length and a checksum: cheap enough for every request, and what rests on it is
a word in a log or a diagnosis, never an answer.
"""

from __future__ import annotations

import hashlib
from array import array
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import attrs
import msgspec

from stages.wire import json
from stages.wire.responses_request import Item
from stages.wire.written import WrittenItem, WrittenTools, checksum_and_size

FINGERPRINTED: Mapping[str, Callable[[Mapping[str, Any]], Any]] = {
    "model": lambda body: body.get("model"),
    "service_tier": lambda body: body.get("service_tier"),
    "tools": lambda body: body.get("tools"),
    "instructions": lambda body: body.get("instructions"),
    "text": lambda body: body.get("text"),
    "reasoning.effort": lambda body: (body.get("reasoning") or {}).get("effort"),
}
"""What stands before the input or changes how all of it is read; the first that differs is named.

Source: the reasons of `PromptCacheDiagnosticsCacheMiss` in OpenAI's SDK 3.54.0.
"""

_USER = "user message"
_IN_THE_PROMPT = ("tools", "instructions", "text")
_WIDTH = 8
# Bytes of one fingerprint: four of checksum, four of length.
_AT = {name: at * _WIDTH for at, name in enumerate(FINGERPRINTED)}
# Where each setting's stands among all.


LARGEST = 2**28
"""Bytes that the input of a request may have: a tool that many searches have found is written for each of them."""


class TooLargeError(Exception):
    """The request becomes larger than `LARGEST`."""


@attrs.frozen
class PromptFingerprint:
    """The fingerprints of one request.

    Attributes:
        settings: eight bytes for each name of `FINGERPRINTED`: checksum, then length.
        items: eight bytes for each item of the input, alike.
        kinds: what each item is, such as `user message` or `function_call`.
        head: bytes of the settings that are part of the prompt.
    """

    settings: bytes
    items: bytes
    kinds: tuple[str, ...]
    head: int

    @property
    def size(self) -> int:
        """About how much memory it takes, in bytes."""
        return 1024 + 2 * len(self.items)

    @property
    def has_tools(self) -> bool:
        """Whether the request declares tools."""
        return array("I", self.setting("tools"))[1] > len(b"null")

    def setting(self, name: str) -> bytes:
        """The fingerprint of one setting, by its name in `FINGERPRINTED`."""
        return self.settings[_AT[name] : _AT[name] + _WIDTH]

    @property
    def opening(self) -> bytes:
        """The fingerprint of the user's first message, by which conversations can be told apart; empty without one."""
        at = self.kinds.index(_USER) * _WIDTH if _USER in self.kinds else len(self.items)
        return self.items[at : at + _WIDTH]

    def fingerprint(self) -> str:
        """Twelve hexadecimal characters that are the same for the same prompt in every process."""
        whole = hashlib.blake2b(self.items, digest_size=6)
        whole.update(self.settings)
        return whole.hexdigest()

    def share(self, count: int) -> float:
        """The part of the prompt's bytes that the settings and the first `count` items are, between 0 and 1."""
        lengths = array("I", self.items)[1::2]
        whole = self.head + sum(lengths)
        return (self.head + sum(lengths[:count])) / whole


@attrs.frozen
class PromptChange:
    """The first difference between two turns.

    Attributes:
        name: a name of `FINGERPRINTED`, or `input`.
        index: which item of the input; None for a setting.
        kind: what that item is now.
    """

    name: str
    index: int | None = None
    kind: str = ""

    def __str__(self) -> str:
        """As logs and reports say it: `tools`, `settings (reasoning.effort)`, `input[3] (user message)`."""
        if self.index is not None:
            return f"{self.name}[{self.index}] ({self.kind})"
        return self.name if self.name in ("model", "tools") else f"settings ({self.name})"


def fingerprint_of(body: Mapping[str, Any]) -> PromptFingerprint:
    """Take the fingerprints of an upstream request."""
    return serialise(body)[1]


def serialise(body: Mapping[str, Any]) -> tuple[bytes, PromptFingerprint]:
    """Write an upstream request, and take the fingerprints of its parts on the way: each is encoded once.

    Raises:
        TooLargeError: its input would be larger than `LARGEST`.
    """
    encode, tools = json.encode, body.get("tools")
    items = _written(body.get("input") or [])
    set_to = {name: encode(read(body)) for name, read in FINGERPRINTED.items() if name != "tools"}
    marks = {name: checksum_and_size(said) for name, said in set_to.items()}
    if type(tools) is WrittenTools:
        set_to["tools"], marks["tools"] = tools.said, tools.mark
    else:
        set_to["tools"] = encode(tools)
        marks["tools"] = checksum_and_size(set_to["tools"])
    head = sum(len(set_to[name]) for name in _IN_THE_PROMPT)
    known = {"input": [item.said for item in items], "tools": msgspec.Raw(set_to["tools"])}
    # Field by field, because the exact encoder, which one odd text asks for, knows no parts that are encoded already.
    fields = {name: known[name] if name in known else msgspec.Raw(encode(value)) for name, value in body.items()}
    settings, marked = b"".join([marks[name] for name in FINGERPRINTED]), b"".join([item.mark for item in items])
    return encode(fields), PromptFingerprint(settings, marked, tuple([item.kind for item in items]), head)


def _written(items: Iterable[Item]) -> list[WrittenItem]:
    """Write those items that are not written yet, as far as they have room."""
    left, written = LARGEST, list[WrittenItem]()
    for item in items:
        known = item if type(item) is WrittenItem else WrittenItem(item)
        left -= known.size
        if left < 0:
            raise TooLargeError
        written.append(known)
    return written


def common(before: PromptFingerprint, now: PromptFingerprint) -> int:
    """How many items at the beginning of both inputs are the same."""
    first, second = memoryview(before.items), memoryview(now.items)
    low, high = 0, min(len(first), len(second)) // _WIDTH
    while low < high:  # all before `low` are the same; what was compared is not compared again
        middle = (low + high + 1) // 2
        if first[low * _WIDTH : middle * _WIDTH] == second[low * _WIDTH : middle * _WIDTH]:
            low = middle
        else:
            high = middle - 1
    return low


def changed(before: PromptFingerprint, now: PromptFingerprint) -> PromptChange | None:
    """What is different first; None when one of the two turns extends the other."""
    if now.settings != before.settings:
        return PromptChange(next(name for name in FINGERPRINTED if before.setting(name) != now.setting(name)))
    same = common(before, now)
    if same * _WIDTH in (len(before.items), len(now.items)):
        return None
    return PromptChange("input", same, now.kinds[same])
