"""Where token counts come from: the upstream's own tokenizer where it can be had, else an estimate.

A vocabulary takes 60 MB, and loading one holds the interpreter for up to a second, whatever thread it runs in.  So it
is loaded when somebody first asks for an exact count, and in a process of its own, where the counting is then done as
well: no stream ever waits for either.  Most processes never need one, because the upstream counts.

Both tokenizers are OpenAI's `o200k_base` and agree on every text (34,655 were compared, 11.5 million characters in
all alphabets, against tiktoken with its file's own checksum verified).  `toktok` (extra `dragoman[offline]`: 4.5 MB, no
dependency, MIT) has its vocabulary compiled in, so it is asked first: it needs no network, and counts three times as
fast. `tiktoken` takes its own from the folder `TIKTOKEN_CACHE_DIR`, from the copy of an earlier run, or from the
network.
"""

from __future__ import annotations

import contextlib
import importlib
from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from itertools import takewhile
from typing import Any, ParamSpec, TypeVar

import attrs
import trio

from pipeline.aside import Aside
from pipeline.telemetry.logs import ElsewhereError
from stages import counter

ENCODING = "o200k_base"
"""The tokenizer of gpt-4o and all after it; tiktoken 0.14 names none for gpt-6, which is taken to have the same."""

ESTIMATE = "estimate"
"""The source that is always there."""

UNASKED = "unasked"
"""What counts as long as nobody has asked: a source is not looked for before."""

LOAD_TIMEOUT = 10.0
"""Seconds that loading may take; tiktoken's download has no limit of its own."""

VOCABULARY_WAIT = 3.0
"""Seconds that who asks first waits for a vocabulary; a process and its vocabulary are there after one or two."""

CHUNK = 20_000
"""Characters counted at once: the estimate holds the interpreter for a millisecond over so many, and tiktoken, which
gives up with a panic over a million blanks in a row, is far from its limit."""

LONGEST_TOKEN = 128
"""Characters of the longest token, which is one of blanks."""

Loader = Callable[[], counter.Tokens]
"""Makes a counter of texts; `ImportError`, `OSError` or `ValueError` mean that this source is not to be had."""


def _toktok() -> counter.Tokens:
    toktok = importlib.import_module("toktok")
    _ = toktok.batch_count([""], ENCODING)  # reads the vocabulary, here and now

    def tokens(text: str) -> int:
        return int(toktok.batch_count([text], ENCODING, threads=1)[0])

    return tokens


def _tiktoken() -> counter.Tokens:
    import tiktoken

    encoding = tiktoken.get_encoding(ENCODING)
    return lambda text: len(encoding.encode_ordinary(text))


SOURCES: Mapping[str, Loader] = {"toktok": _toktok, "tiktoken": _tiktoken}
"""Name to loader, the best first."""


P = ParamSpec("P")
R = TypeVar("R")


@attrs.define(eq=False, repr=False)
class Tokenizer:
    """Knows what counts, and where: a vocabulary in its own process, once it was asked for, or an estimate here.

    Attributes:
        source: `toktok`, `tiktoken` or `estimate`: what counts now; `unasked` while nobody has asked.
    """

    source: str = ESTIMATE
    _apart: Aside = attrs.field(factory=lambda: Aside(inline=-1, threaded=-1))  # all of it in a process
    _wanted: trio.Event = attrs.field(factory=trio.Event, init=False)
    _settled: trio.Event = attrs.field(factory=trio.Event, init=False)

    async def load(self, deadline: float = LOAD_TIMEOUT) -> None:
        """Wait until somebody asks for a vocabulary, then look for one; when none is to be had, the estimate stays.

        Runs beside everything else. Cancelled, or after `deadline` seconds, the process that loads is ended.
        """
        self.source = UNASKED
        await self._wanted.wait()
        found = ESTIMATE
        with trio.move_on_after(deadline), contextlib.suppress(ElsewhereError):
            found = await self._apart.run(0, best)
        self.source = found
        self._settled.set()

    async def ready(self) -> str:
        """Return what counts, which whoever asks first has looked for; all wait for that, and only so long."""
        if self.source == UNASKED:
            self.want()
            with trio.move_on_after(VOCABULARY_WAIT):
                await self._settled.wait()
        return ESTIMATE if self.source == UNASKED else self.source

    def want(self) -> None:
        """Have a vocabulary looked for, if none was; waits for nothing."""
        self._wanted.set()

    async def tokens(self, text: str) -> int:
        """Count one text by what is at hand; waits for the process that has the vocabulary, never for its loading."""
        return await self._at_hand(_tokens, text)

    async def fitting(self, text: str, limit: int) -> tuple[str, int]:
        """Return the longest beginning of a text that has no more than `limit` tokens, and its tokens; waits alike."""
        return await self._at_hand(_fitting, text[: limit * LONGEST_TOKEN], limit)

    async def _at_hand(self, function: Callable[..., R], *arguments: Any) -> R:
        if self.source in (UNASKED, ESTIMATE):
            return function(ESTIMATE, *arguments)
        try:
            return await self.run(function, self.source, *arguments)
        except ElsewhereError:  # that process was ended; the next one to count starts another
            return function(ESTIMATE, *arguments)

    async def run(self, function: Callable[P, R], *arguments: P.args, **named: P.kwargs) -> R:
        """Run a function where the vocabulary is; see `Aside.run`. It finds it by `counter_of`."""
        return await self._apart.run(0, function, *arguments, **named)

    async def close(self) -> None:
        """End the process, if there is one; waits until it has ended."""
        await self._apart.close()


def best() -> str:
    """Load the first source that is to be had, in this process, and return its name."""
    return next((name for name, loader in SOURCES.items() if _attempt(loader) is not None), ESTIMATE)


@cache
def counter_of(source: str) -> counter.TokenCache:
    """Load a source by its name, in this process; one that is not to be had, or has no name of ours, is the estimate.

    The counter that it returns is the same for the same name, and counts the same text once.
    """
    loader = SOURCES.get(source)
    tokens = None if loader is None else _attempt(loader)
    return _counting(counter.count_pieces if tokens is None else tokens)


def _tokens(source: str, text: str) -> int:
    return counter_of(source)(text)


def _fitting(source: str, text: str, limit: int) -> tuple[str, int]:
    """Find the longest beginning that fits: a longer one may have fewer tokens than one that ends within a word.

    An estimate, which cuts long words, ends behind a word and not in it.
    """
    tokens = counter_of(source)
    if source == ESTIMATE:
        fits = bisect_right(range(1, len(text) + 1), limit, key=lambda length: tokens(text[:length]))
        if fits and text[fits - 1].isalnum():
            fits += sum(1 for _ in takewhile(str.isalnum, text[fits:]))
    else:
        fits = next(length for length in range(len(text), -1, -1) if tokens(text[:length]) <= limit)
    return text[:fits], min(limit, tokens(text[:fits]))


def _attempt(loader: Loader) -> counter.Tokens | None:
    try:
        return loader()
    except (ImportError, OSError, ValueError):
        return None


def _counting(tokens: counter.Tokens) -> counter.TokenCache:
    """Wrap a source: texts as they come (halves of emoji too), in chunks, each text once."""

    def chunk(text: str) -> int:
        try:
            return tokens(text)
        except UnicodeEncodeError:
            return tokens(text.encode("utf-16", "surrogatepass").decode("utf-16", "replace"))

    return counter.TokenCache(lambda text: chunk(text) if len(text) <= CHUNK else sum(map(chunk, _chunks(text))))


def _chunks(text: str) -> Iterator[str]:
    """Cut a long text before a blank where there is one: tokens begin there, so that nothing is counted twice."""
    at = 0
    while at < len(text):
        end = at + CHUNK
        if end < len(text):
            blank = text.rfind(" ", at + CHUNK // 2, end)
            end = blank if blank > 0 else end
        yield text[at:end]
        at = end
