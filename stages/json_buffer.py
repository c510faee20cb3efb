"""One tool call's argument JSON, first fragment to last.

Anthropic's clients parse what the fragments add up to, so the sum must be JSON; the upstream may send fragments, only
the whole, or both.  Fragments leave as they come, but for white space in front, and what the whole adds to them leaves
at the end.  Where the tool's schema forbids what models fill optional members with, a scanner leaves it out on the way.
"""

from __future__ import annotations

from collections.abc import Iterator

from stages.actor import Inbox, Outbox, act
from stages.canonical.events import Arguments, ArgumentsCut, ArgumentsDelta, Delta, JsonDelta
from stages.canonical.failure import Failure, Kind
from stages.canonical.omittable import OmittableMembers
from stages.filters.argument_repair import Scanner
from stages.wire import json


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
        self._begun = False
        self._cut = False
        self._scanner = Scanner(omittable) if omittable is not None else None

    @property
    def left_out(self) -> int:
        """How many members were left out of the arguments so far."""
        return self._scanner.left_out if self._scanner is not None else 0

    def feed(self, event: Arguments) -> Iterator[JsonDelta | Failure]:
        """Take the next piece of argument text, or the news that the answer ends here."""
        yield from self._begin()
        if isinstance(event, ArgumentsCut):
            self._cut = True
            return
        text = event.text if isinstance(event, ArgumentsDelta) else self._rest(event.text)
        if not self._parts:
            text = text.lstrip()  # white space alone, which some servers send for no arguments, is no JSON
        if text:
            self._parts.append(text)
            if self._scanner is not None:
                text = self._scanner.feed(text)
                if not text:
                    return
            yield JsonDelta(text)

    def finish(self) -> Iterator[JsonDelta | Failure]:
        """Check that what was said is one JSON object, or nothing; a cut answer may stop anywhere."""
        yield from self._begin()
        if self._scanner is not None and (rest := self._scanner.finish()):
            yield JsonDelta(rest)
        text = "".join(self._parts)
        if self._cut or not text:
            return
        if not _is_object(text):
            yield Failure(Kind.UPSTREAM, "The upstream sent a tool call whose arguments are not a JSON object.")

    def _begin(self) -> Iterator[JsonDelta]:
        if not self._begun:
            self._begun = True
            yield JsonDelta("")

    def _rest(self, whole: str) -> str:
        """What `whole` adds to the fragments; a whole that contradicts them adds nothing, since they are gone."""
        sent, whole = "".join(self._parts), whole.lstrip()
        return whole[len(sent) :] if whole.startswith(sent) else ""


def _is_object(text: str) -> bool:
    try:
        return isinstance(json.decode(text), dict)
    except json.MalformedJson:
        return False


async def buffer_json(buffer: JsonBuffer, inbox: Inbox[Arguments], outbox: Outbox[Delta]) -> None:
    """Run the buffer of one call as an actor, until the correlator says that the call is whole.

    Waits and is cancelled as `act` is.
    """
    await act(buffer, inbox, outbox)
