"""What an upstream's error says, wherever in a body it stands: one reader for all the shapes that servers use.

OpenAI's envelope is the least of them. An error is a string, a list, a number, JSON inside a string of another error
(`metadata.raw` of OpenRouter), a `detail` with places (FastAPI), a `base_resp` (MiniMax), the payload of an SSE body
that came with an error's status, a page of HTML, or a line of text.  The reader goes through such a value once, from
the outside in, and collects what it finds under the few names that matter.  What servers quote of a request (`input`,
`body` of a validation) stands under other names and is never looked at.
"""

from __future__ import annotations

import html
import re
from collections import deque
from collections.abc import Iterable, Iterator
from typing import Any

import attrs

from stages.tables.error_names import (
    ASIDE_NAMES,
    CODE_NAMES,
    INNER_NAMES,
    NUMBERED_NAMES,
    PLACE_NAMES,
    PROMPT_SIZE_NAMES,
    SAYS_NOTHING,
    SENTENCE_NAMES,
    WAIT_NAMES,
    WINDOW_SIZE_NAMES,
)
from stages.tables.headers import seconds_of
from stages.wire import json, sse
from stages.wire.lenient import listed

MAX_TEXT = 64 * 2**10
"""How much of a text is read at all."""

MAX_NODES = 256
"""How many objects, lists and texts of one error are looked at, so that an odd one costs no more than an ordinary."""

LONGEST_SENTENCE = 4_000
"""Characters of a sentence that a person gets to see; some validators write a book and quote the request in it."""

_NUMBERS = {*WAIT_NAMES, *PROMPT_SIZE_NAMES, *WINDOW_SIZE_NAMES}
_ERRORS = range(400, 600)
_GOOD = range(200, 300)
_TOO_LARGE = 1_000_000
_GENERIC = re.compile(
    r"(the )?((upstream )?provider returned (an )?error|(an )?(unknown |upstream |internal )?error( occurred)?|"
    r"bad request|internal server error|upstream request failed|request failed|not found|none|failed)\W{0,9}",
    re.IGNORECASE,
)
_STREAM = ("event:", "data:", "id:", "retry:", ":")
_PAGE = re.compile(r"<(!doctype|html|head|body|\?xml)\b", re.IGNORECASE)
_TITLE = re.compile(r"<(title|h1|h2|message|code|p|pre)\b[^>]{0,200}>([^<]{1,500})", re.IGNORECASE)
_TEMPLATE_SAYS = "Jinja Exception: "
# What llama.cpp says before it is about the template's own source, which quotes everything that it can refuse.
_PAGES_WORDS = 1_000
# Characters of a page that are read: what it says first is what happened, the rest is for people.


@attrs.frozen
class ErrorContent:
    """What an error says.

    Attributes:
        sentences: what it says in words, the one that says most first.
        codes: its codes and types, the innermost first.
        status: the HTTP status that stands in the body; None when none does.
        numbers: codes that are numbers of a vendor's own, the innermost first.
        places: the fields of the request that it names, with dots: `reasoning.summary`.
        wait: seconds_of until the request may be made again.
        tokens: the size of the prompt, where a field of its own tells it.
        window: the model's window, likewise.
        page: whether it was HTML: no API's word, but that of something in front of it.
    """

    sentences: tuple[str, ...] = ()
    codes: tuple[str, ...] = ()
    status: int | None = None
    numbers: tuple[int, ...] = ()
    places: tuple[str, ...] = ()
    wait: float | None = None
    tokens: int | None = None
    window: int | None = None
    page: bool = False


def parsed(body: bytes) -> Any:
    """Read a body that should be JSON; any other is its text, and nothing where it is JSON that was cut."""
    try:
        return json.decode(body)
    except json.MalformedJson:
        text = body[:MAX_TEXT].decode("utf-8", "replace").strip("\ufeff \t\r\n")
        return "" if text.startswith(("{", "[")) else text


def read_error(value: Any) -> ErrorContent:
    """Read an error of any shape.

    Args:
        value: an error, or a body with one in it: any JSON value, or text that is none.
    """
    reader = _Reader()
    reader.waiting.append(_Place(value))
    for _ in range(MAX_NODES):
        if not reader.waiting:
            break
        reader.take(reader.waiting.popleft())
    return reader.told()


_ECHO = frozenset(
    [
        "instructions",
        "input",
        "output",
        "text",
        "tools",
        "metadata",
        "reasoning",
        "model",
        "id",
        "usage",
        "prompt",
        "user",
        "object",
    ]
)


def without_echo(response: dict[str, Any]) -> dict[str, Any]:
    """A response object without what it repeats of its request, where nothing of an error can stand."""
    return {name: value for name, value in response.items() if name not in _ECHO}


def tells_anything(error: Any) -> bool:
    """Whether a value that stands where an error should tells one: an object of nulls does not."""
    told = read_error(error) if error else ErrorContent()
    return bool(told.sentences or told.codes or told.status or told.numbers)


def is_error(answer: dict[str, Any]) -> bool:
    """Whether a body that came with a good status is an error: it says nothing else, and one stands in it."""
    if isinstance(answer.get("output"), list) and answer["output"]:
        return False
    if answer.get("object") == "error" or any(answer.get(name) for name in ("error", "errors", "fault")):
        return True
    told = _envelope(answer)
    if told.status or told.numbers:
        return True
    return not ("output" in answer or isinstance(answer.get("status"), str) or answer.get("object") == "response")


def is_error_event(event: dict[str, Any]) -> bool:
    """Whether an event of no Responses stream is an error: servers send the body of one as it stands.

    Anything else that says nothing of an answer is noise, such as a heartbeat.
    """
    if event.get("object") == "error" or any(event.get(name) for name in ("error", "errors", "detail", "fault")):
        return True
    inner = next((held for name in _HELD if isinstance(held := event.get(name), dict)), {})
    if inner.get("error") or inner.get("status") == "failed":
        return True
    told = _envelope(event)
    if told.status or told.numbers or event.get("success") is False:
        return True
    if not event.get("type") and _is_sentence(event):
        return True
    named = event.get("code") or event.get("reason") or _SOUNDS_WRONG(str(event.get("type")))
    return bool(named) and any(isinstance(event.get(name), str) for name in ("message", "msg"))


def _is_sentence(event: dict[str, Any]) -> bool:
    """Whether there is nothing in an event but a sentence for people, which is no sign of life."""
    told = [value for name, value in event.items() if _plain(name) in SENTENCE_NAMES or name == "err"]
    return len(told) == len(event) > 0 and all(isinstance(text, str) and text and not _BEAT(text) for text in told)


def _envelope(answer: dict[str, Any]) -> ErrorContent:
    """What the numbers say that stand around an answer."""
    return read_error({name: value for name, value in answer.items() if _plain(name) in _ENVELOPE})


_ENVELOPE = frozenset({"status", "statuscode", "code", "baseresp", "type"})
_HELD = ("response", "data")
_SOUNDS_WRONG = re.compile(
    r"error\Z|exception\Z|overload|exceed|limit.?reached|invalid|unavailable|denied|timeout|throttl|failure\Z",
    re.IGNORECASE,
).search
# Types of events that nobody documents, where a sentence stands beside them.
_BEAT = re.compile(
    r"\W{0,80}(ok|ping|(still )?(alive|working|processing|waiting|here)|(keep|heart).?(alive|beat))\b", re.IGNORECASE
).match


@attrs.frozen
class _Place:
    """A value, how deep it stands, whether only aside, and whether it is the number of a vendor's own."""

    value: Any
    depth: int = 0
    aside: bool = False


@attrs.define
class _Reader:
    """Collects from the outside in; what is deeper is nearer to the cause, and counts more."""

    waiting: deque[_Place] = attrs.field(factory=deque)
    _sentences: list[tuple[tuple[bool, bool, int], str]] = attrs.field(factory=list)
    _codes: list[tuple[int, str]] = attrs.field(factory=list)
    _numbers: list[tuple[int, int]] = attrs.field(factory=list)
    _places: list[str] = attrs.field(factory=list)
    _fields: dict[str, float] = attrs.field(factory=dict)
    _page: bool = False

    def take(self, place: _Place) -> None:
        """Take one value."""
        match place.value:
            case dict():
                self._object(place)
            case list() | tuple():
                self.waiting += (_Place(inner, place.depth, place.aside) for inner in place.value[:MAX_NODES])
            case str():
                self._text(place.value[:MAX_TEXT], place)
            case bytes():
                self._text(place.value[:MAX_TEXT].decode("utf-8", "replace"), place)
            case _:
                pass  # a number, a truth or nothing says nothing without a name

    def told(self) -> ErrorContent:
        """Put together what was found."""
        numbers = [number for _, number in sorted(self._numbers, key=lambda each: -each[0])]
        window, tokens = self._fields.get("window"), self._fields.get("tokens")
        return ErrorContent(
            sentences=tuple(text for _, text in sorted(self._sentences, key=lambda each: each[0])),
            codes=tuple(word for _, word in sorted(self._codes, key=lambda each: -each[0])),
            status=next((number for number in numbers if number in _ERRORS), None),
            numbers=tuple(number for number in numbers if number not in _ERRORS),
            places=tuple(dict.fromkeys(self._places)),
            wait=self._fields.get("wait"),
            tokens=int(tokens) if tokens else None,
            window=int(window) if window else None,
            page=self._page,
        )

    def _object(self, place: _Place) -> None:
        named = {_plain(key): value for key, value in place.value.items()}
        places = list(_places(named))
        self._places += places
        where = places[0] if places else ""
        for name, value in named.items():
            if name in SENTENCE_NAMES and isinstance(value, str):
                self._text(value[:MAX_TEXT], place, where if "loc" in named else "")  # its words need the place
            elif name in INNER_NAMES and value:
                aside = name in ASIDE_NAMES or (place.aside and name not in ("raw", "error", "cause"))
                self.waiting.append(_Place(value, place.depth + 1, aside))
            elif name in SENTENCE_NAMES and isinstance(value, dict | list):
                self.waiting.append(_Place(value, place.depth + 1, place.aside))
            elif name in CODE_NAMES:
                self._code(name, value, place.depth)
            else:
                self._field(name, value)

    def _code(self, name: str, value: Any, depth: int) -> None:
        if isinstance(value, str) and value.strip().isdecimal() and len(value) < len(str(_TOO_LARGE)):
            value = int(value)
        if isinstance(value, str):
            if value.strip().lower() not in SAYS_NOTHING:
                self._codes.append((depth, value[:200]))
        elif name in NUMBERED_NAMES and _is_code(value):
            self._numbers.append((depth, int(value)))

    def _field(self, name: str, value: Any) -> None:
        number = seconds_of(value.strip()) if isinstance(value, str) and name in _NUMBERS else value
        if isinstance(number, bool) or not isinstance(number, int | float) or not 0 <= number < 1e9:  # noqa: PLR2004
            return
        if name in WAIT_NAMES:
            self._fields["wait"] = number * WAIT_NAMES[name]
        elif name in PROMPT_SIZE_NAMES or name in WINDOW_SIZE_NAMES:
            self._fields["tokens" if name in PROMPT_SIZE_NAMES else "window"] = number

    def _text(self, text: str, place: _Place, where: str = "") -> None:
        """Take a text: a sentence, or something else that was written into one."""
        text = "".join(text.strip().rpartition(_TEMPLATE_SAYS)[1:])
        if _PAGE.match(text):
            self._page = True
            words = dict.fromkeys(found[2].strip() for found in _TITLE.finditer(text))
            text = html.unescape(" ".join(words))[:_PAGES_WORDS]
        inner = list(_inside(text))
        self.waiting += (_Place(value, place.depth + 1, aside=False) for value in inner)
        if not text or (inner and text.startswith(("{", "[", '"', *_STREAM))):
            return
        sentence = f"{where}: {text}" if where and where.rsplit(".", 1)[-1] not in text else text
        rank = (bool(_GENERIC.fullmatch(text)), place.aside, -place.depth)
        self._sentences.append((rank, sentence[:LONGEST_SENTENCE]))


def _is_code(value: Any) -> bool:
    """Whether a value is a number that can be a code; zero and good statuses say that nothing is wrong."""
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return number and 0 < abs(value) < _TOO_LARGE and value not in _GOOD  # of NaN, nothing is true


def _plain(name: str) -> str:
    return name.replace("_", "").replace("-", "").lower()


def _places(named: dict[str, Any]) -> Iterator[str]:
    """The places that an object names, as the request knows them: with each of the keys that it does not know."""
    told = next((named[name] for name in PLACE_NAMES if named.get(name)), ())
    where = ".".join(_pieces(told if isinstance(told, list | tuple) else (told,)))
    keys = [key[:200] for key in listed(named.get("keys"))[:MAX_NODES] if isinstance(key, str)]
    yield from filter(None, (f"{where}.{key}".lstrip(".") for key in keys) if keys else (where,))


def _pieces(told: Iterable[Any]) -> Iterator[str]:
    """The pieces of a place, without the `body` of FastAPI, and the name of the class in front."""
    begun = False
    for piece in told:
        if piece in ("body", "json") or not isinstance(piece, str | int) or (not begun and _A_CLASS(str(piece))):
            continue
        begun = True
        yield str(piece)[:200]


_A_CLASS = re.compile(r"[A-Z]\w{0,200}\Z").match


def _inside(text: str) -> Iterator[Any]:
    """What is written in a text: JSON, alone or behind some words, or the payloads of a stream."""
    if text.startswith(_STREAM):
        decoder = sse.Decoder()
        payloads = [*decoder.feed(text.encode("utf-8", "replace") + b"\n\n"), *decoder.finish()]
        yield from (payload.decode("utf-8", "replace") for payload in payloads if payload != b"[DONE]")
        return
    begin = 0 if text.startswith(("{", "[", '"')) else text.find('{"')
    if begin < 0:
        return
    try:
        yield json.decode_first(text[begin:])
    except json.MalformedJson:
        return
