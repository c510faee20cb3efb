"""One tool call's argument JSON, first fragment to last.

Anthropic's clients parse what the fragments add up to, so the sum must be JSON; the upstream may send fragments, only
the whole, or both.  Fragments leave as they come, but for white space in front, and what the whole adds to them leaves
at the end.  Where the tool's schema forbids what models fill optional members with, a scanner leaves it out on the way;
control characters in texts and halves of characters leave as escapes.

What cannot be the truth waits for it until the end:

- Fragments that do not begin an object: ciphertext, `null`, code between marks, or an object that was encoded twice.
- The end of an empty object: servers say `{}` where they do not know better yet, and some say the truth behind it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from stages.actor import Inbox, Outbox, act
from stages.canonical.events import Arguments, ArgumentsCut, ArgumentsDelta, ArgumentsDone, Delta, JsonDelta
from stages.canonical.failure import Failure, Kind
from stages.canonical.omittable import OmittableMembers
from stages.control_characters import ControlCharacters
from stages.filters.argument_repair import Scanner
from stages.lone_halves import LoneHalves
from stages.wire import json

_BEGINS = re.compile(r"\{\s{0,64}[\"}]")
_FIRST = 2
# How an object begins; the brace alone waits for one more fragment, for ciphertext begins with any character.
_EMPTY = re.compile(r"\{\s*\}?\s*\Z")
NO_ARGUMENTS = frozenset({"", "{}", "[]", "null", "None", "undefined"})
"""What servers write for no arguments."""

_SPACE = " \t\r\n\ufeff\xa0"
# What may stand in front: a byte order mark, too.
_SLICE = 2**15
# Characters that leave as one delta.
_TOKENS = re.compile(r"\}[\s`]*(?:<[|/][^{}]{0,200})?\Z")
# The end of an object, with what a server leaves behind it of a template or of marks of code.
_TWICE = 3
# How often arguments may have been encoded; more would be nobody's accident.


class JsonBuffer:
    """The transducer of one call: argument text in, `input_json_delta`s out.

    The first delta is empty, as Anthropic's own API does it, so that a call without arguments has one too.  What the
    upstream has said is compared and checked as it came; only what leaves is repaired.
    """

    def __init__(self, omittable: OmittableMembers | None = None) -> None:
        """Read the arguments of one call.

        Args:
            omittable: which members the tool's schema wants left out; None when there is nothing to repair.
        """
        self._parts: list[str] = []
        self._length = 0
        self._begun = False
        self._cut = False
        self._held = ""
        self._waiting: list[str] = []
        self._whole = ""
        self._scanner = Scanner(omittable) if omittable is not None else None
        self._controls = ControlCharacters(self._parts)
        self._halves = LoneHalves()

    @property
    def left_out(self) -> int:
        """How many members were left out of the arguments so far."""
        return self._scanner.left_out if self._scanner is not None else 0

    def feed(self, event: Arguments) -> Iterator[JsonDelta | Failure]:
        """Take the next piece of argument text, or the news that the answer ends here."""
        if self._length > 1 and type(event) is ArgumentsDelta and not self._held and self._scanner is None:
            text = event.text
            self._parts.append(text)
            self._length += len(text)
            if not text.isprintable():
                text = self._controls.feed(text)
            if text := self._halves.feed(text):  # nearly every fragment
                yield JsonDelta(text)
            return
        yield from self._begin()
        match event:
            case ArgumentsDelta(text):
                yield from self._grow(text)
            case ArgumentsDone(text):
                yield from self._compare(text)
            case ArgumentsCut():
                self._cut = True

    def finish(self) -> Iterator[JsonDelta | Failure]:
        """Check that what was said is one JSON object, or nothing; a cut answer may stop anywhere."""
        yield from self._begin()
        if not self._parts:
            yield from self._say(self._decided())
        yield from self._say(self._held)
        if rest := self._scanned("", last=True):
            yield JsonDelta(rest)
        text = "".join(self._parts)
        if self._controls.found:
            text = ControlCharacters([text]).feed(text)
        self._parts.clear()
        if not self._cut and text and not json.is_object(text):
            yield Failure(Kind.UPSTREAM, "The upstream sent a tool call whose arguments are not a JSON object.")

    def _begin(self) -> Iterator[JsonDelta]:
        if not self._begun:
            self._begun = True
            yield JsonDelta("")

    # -- fragments ------------------------------------------------------------------------------

    def _grow(self, text: str) -> Iterator[JsonDelta]:
        if not self._parts and not self._held:
            text = text if self._waiting else text.lstrip(_SPACE)  # servers send white space alone for no arguments
            if self._waiting or not _BEGINS.match(text):
                self._waiting += [text] if text else []
                if len(self._waiting) != _FIRST or not _BEGINS.match(text := "".join(self._waiting)):
                    return
                self._waiting.clear()
            text = _alone(text)
        elif self._held and text.lstrip().startswith("{"):
            text, self._held = text.lstrip()[1:], ""  # it is the truth, and its brace was said already
        if self._length <= 1 or self._held:
            text, self._held = self._held + text, ""
            if self._is_empty_so_far(text):
                at = text.find("}")
                text, self._held = (text, "") if at < 0 else (text[:at], text[at:])
        yield from self._say(text)

    def _is_empty_so_far(self, text: str) -> bool:
        return _EMPTY.match(text if not self._parts else "{" + text) is not None

    def _say(self, text: str) -> Iterator[JsonDelta]:
        for at in range(0, len(text), _SLICE):
            piece = text[at : at + _SLICE]
            self._parts.append(piece)
            self._length += len(piece)
            if piece := self._scanned(piece):
                yield JsonDelta(piece)

    def _scanned(self, text: str, *, last: bool = False) -> str:
        """What leaves of a text: without what the schema forbids, and without halves of characters."""
        text = self._controls.feed(text)
        if self._scanner is not None:
            text = (self._scanner.feed(text) if text else "") + (self._scanner.finish() if last else "")
        return self._halves.feed(text) + (self._halves.finish() if last else "")

    # -- wholes ---------------------------------------------------------------------------------

    def _compare(self, whole: str) -> Iterator[JsonDelta]:
        """Say what `whole` adds to the fragments; one that contradicts them adds nothing, since they are gone."""
        whole = _plain(whole)
        if whole in NO_ARGUMENTS or (not self._parts and not json.is_object(whole)):
            self._whole = self._whole or whole
        elif not self._parts:
            self._waiting.clear()
            self._held = ""
            yield from self._say(whole)
        elif len(whole) > self._length and whole.startswith("".join(self._parts)):
            self._held = ""
            yield from self._say(whole[self._length :])

    def _decided(self) -> str:
        """What the arguments are when nothing has left yet: the whole, or what waited if that says more."""
        waited = "".join(self._waiting)
        text = self._whole if self._whole not in NO_ARGUMENTS or self._whole.startswith(waited) else waited
        text = _plain(text)
        unreadable = self._cut and not text.startswith("{")
        return "" if unreadable or text in NO_ARGUMENTS - {"{}"} else text


def _alone(text: str) -> str:
    """An object without what stands behind it: itself again, or tokens of a template; any other text as it is."""
    if "}" not in text or len(text) > json.LARGE or json.is_object(text):
        return text
    try:
        values = json.decode_several(_TOKENS.sub("}", text).encode("utf-8", "surrogatepass"))
    except json.MalformedJson:
        return text
    told = [value for value in values if value != {}] or values[:1]
    same = all(isinstance(value, dict) and value == told[0] for value in told)
    return json.encode(told[0]).decode() if same else text


def _plain(text: str) -> str:
    """Arguments alone: no white space in front, no marks of code, no list around them, and not encoded twice."""
    for _ in range(_TWICE):
        text = text.lstrip(_SPACE)
        if text.startswith(("```", "~~~")):
            text = _fenced(text)
        if not text.startswith('"'):
            return _alone(text) if text.startswith("{") else _unlisted(text)
        try:
            inner = json.decode(text)
        except json.MalformedJson:
            return text
        if not isinstance(inner, str):
            return text
        text = inner
    return text


def _unlisted(text: str) -> str:
    """The one object in a list of one."""
    try:
        value = json.decode(text) if text.startswith("[") else None
    except json.MalformedJson:
        return text
    match value:
        case [dict() as only]:
            return json.encode(only).decode()
        case _:
            return text


def _fenced(text: str) -> str:
    """What stands between marks of code, which the last ones may lack."""
    mark = text[0] * (len(text) - len(text.lstrip(text[0])))
    return text[len(mark) :].removeprefix("json").strip().removesuffix(mark).strip()


async def buffer_json(buffer: JsonBuffer, inbox: Inbox[Arguments], outbox: Outbox[Delta]) -> None:
    """Run the buffer of one call as an actor, until the correlator says that the call is whole.

    Waits and is cancelled as `act` is.
    """
    await act(buffer, inbox, outbox)
