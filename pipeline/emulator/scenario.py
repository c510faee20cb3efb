"""Scenarios: what the emulator is about to say, before it is said in the words of the API.

A scenario is pure data.  `conversation` makes it from a request, `events` writes it as a stream, and the response
object sums it up; none of these needs to know the directive that asked for it.
"""

from __future__ import annotations

import re
from enum import Enum
from typing import TypeAlias

from attrs import evolve, field, frozen

_WORDS = re.compile(r"\s*\S+|\s+")
_FRAGMENTS = re.compile(r".{1,9}", re.DOTALL)


def words(text: str) -> tuple[str, ...]:
    """Cut a text as a model streams it, about one word a piece; the pieces joined are the text again."""
    return tuple(_WORDS.findall(text))


def fragments(text: str) -> tuple[str, ...]:
    """Cut an argument JSON as a model streams it: small pieces that know nothing of its grammar."""
    return tuple(_FRAGMENTS.findall(text))


@frozen
class ReasoningItem:
    """A reasoning item; `parts` are its summary parts, each cut into deltas, and may be none.

    `hidden` are the tokens spent on what the summary does not show.
    """

    parts: tuple[tuple[str, ...], ...] = field(default=(), repr=False)
    hidden: int = 16

    @property
    def size(self) -> int:
        """Tokens spent: one a piece, and the hidden ones."""
        return sum(map(len, self.parts)) + self.hidden


@frozen
class Citation:
    """A note that the piece with this number is a link to a page; white space around the link is none of it."""

    piece: int
    url: str = field(repr=False)
    title: str = field(repr=False)


@frozen
class FileCitation:
    """A note that the piece with this number is a link to a file that code has made, by its name."""

    piece: int
    filename: str = field(repr=False)


@frozen
class MessageItem:
    """An assistant message of one part, cut into deltas; a refusal is the same with another kind of part.

    `citations` stand in the order of their pieces; those whose piece was cut off are left out.
    """

    pieces: tuple[str, ...] = field(repr=False)
    refusal: bool = False
    citations: tuple[Citation | FileCitation, ...] = ()

    @property
    def size(self) -> int:
        """Tokens spent: one a piece."""
        return len(self.pieces)


@frozen
class SearchItem:
    """A web search that the API has run itself: what was searched for, and the addresses of the pages found."""

    query: str = field(repr=False)
    urls: tuple[str, ...] = field(repr=False)

    @property
    def size(self) -> int:
        """Tokens spent: none, a search is no output."""
        return 0


@frozen
class CodeItem:
    """Code that the API has run itself: what it printed, the files that it made, and whether its machine is gone."""

    code: str = field(repr=False)
    logs: str = field(repr=False)
    files: tuple[str, ...] = field(default=(), repr=False)
    expired: bool = False

    @property
    def size(self) -> int:
        """Tokens spent: none are counted."""
        return 0


@frozen
class CallItem:
    """A call of the function `name`; the pieces joined are its arguments, JSON unless a directive asks for bad ones."""

    name: str
    pieces: tuple[str, ...] = field(repr=False)

    @property
    def size(self) -> int:
        """Tokens spent: one a piece."""
        return len(self.pieces)


ScenarioItem: TypeAlias = ReasoningItem | MessageItem | CallItem | SearchItem | CodeItem
"""What one output item says."""


class Closing(Enum):
    """How an output item is left by the scenario: closed, closed but unfinished, or never closed at all."""

    COMPLETED = "completed"
    INCOMPLETE = "incomplete"
    OPEN = "in_progress"


@frozen
class ScenarioEnding:
    """How a response ends.

    `status` is that of the final response object; `reason` goes to `incomplete_details`, `code` and `message` to
    `error`.
    """

    status: str = "completed"
    closing: Closing = Closing.COMPLETED
    reason: str | None = None
    code: str | None = None
    message: str | None = None
    error_event: bool = False
    """An `error` event goes before `response.failed`."""
    terminal: bool = True
    """False: the stream is cut, no last event comes."""
    garbage: bool = False
    """One frame whose data is no JSON stands before the last item's end."""


COMPLETED = ScenarioEnding()
"""The ordinary ending."""


@frozen
class Scenario:
    """What one response says, how it ends, and how fast it is sent.

    `pause` seconds lie before each delta (None: the sender's own pace); `silence` seconds after
    `response.in_progress`.
    """

    items: tuple[ScenarioItem, ...] = ()
    ending: ScenarioEnding = COMPLETED
    pause: float | None = None
    silence: float = 0.0
    plain_json: bool = False
    """Answer with JSON although a stream was asked for."""


def shorten(scenario: Scenario, budget: int) -> Scenario:
    """Cut a scenario at `budget` output tokens; one that had to be cut ends as `max_output_tokens` ends it."""
    kept: list[ScenarioItem] = []
    for item in scenario.items:
        if not isinstance(item, SearchItem | CodeItem) and item.size > budget:
            ending = ScenarioEnding("incomplete", Closing.INCOMPLETE, reason="max_output_tokens")
            return evolve(scenario, items=(*kept, *_cut(item, budget)), ending=ending)
        kept.append(item)
        budget -= item.size
    return scenario


def _cut(item: ReasoningItem | MessageItem | CallItem, budget: int) -> tuple[ScenarioItem, ...]:
    if budget <= 0:
        return ()
    if isinstance(item, ReasoningItem):
        return (ReasoningItem(hidden=budget),)
    return (evolve(item, pieces=item.pieces[:budget]),)
