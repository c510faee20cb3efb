"""Where token counts come from: the upstream's own tokenizer where it can be had, else an estimate.

Both tokenizers are OpenAI's `o200k_base` and agree on every text (34,655 were compared, 11.5 million characters in
all alphabets, against tiktoken with its file's own checksum verified).  `toktok` (extra `dragoman[offline]`: 4.5 MB, no
dependency, MIT) has its vocabulary compiled in, so it is asked first: it needs no network, and counts three times as
fast. `tiktoken` takes its own from the folder `TIKTOKEN_CACHE_DIR`, from the copy of an earlier run, or from the
network.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator, Mapping

import attrs
import trio

from stages import counter

ENCODING = "o200k_base"
"""The tokenizer of gpt-4o and all after it; tiktoken 0.14 names none for gpt-6, which is taken to have the same."""

LOAD_TIMEOUT = 10.0
"""Seconds that loading may take; tiktoken's download has no limit of its own."""

CHUNK = 20_000
"""Characters counted at once: the estimate holds the interpreter for a millisecond over so many, and tiktoken, which
gives up with a panic over a million blanks in a row, is far from its limit."""

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


@attrs.define(repr=False)
class Tokenizer:
    """Counts tokens, with an estimate until `load` has found something better.

    Attributes:
        source: `toktok`, `tiktoken` or `estimate`: what counts now.
    """

    source: str = "estimate"
    _memory: counter.TokenCache = attrs.field(factory=lambda: _counting(counter.count_pieces), init=False)

    async def load(self, sources: Mapping[str, Loader] = SOURCES, deadline: float = LOAD_TIMEOUT) -> None:
        """Take the first source that can be had; when none can, the estimate stays, in silence.

        Waits for a thread that does the loading, so this can run beside everything else; counts asked for meanwhile are
        estimates. A thread that has not come back after `deadline`, or when this is cancelled, is left to itself: it
        ends with its download, or the process.

        Args:
            sources: what to try, in order.
            deadline: seconds for all of them together.
        """
        with trio.move_on_after(deadline):
            for name, loader in sources.items():
                tokens = await trio.to_thread.run_sync(_attempt, loader, abandon_on_cancel=True)
                if tokens is not None:
                    self._memory, self.source = _counting(tokens), name
                    return

    @classmethod
    def of(cls, source: str) -> Tokenizer:
        """Load a source by its name, now; one that is not to be had, or has no name of ours, is the estimate."""
        made = cls()
        loader = SOURCES.get(source)
        tokens = _attempt(loader) if loader is not None else None
        if tokens is not None:
            made._memory, made.source = _counting(tokens), source
        return made

    def tokens(self, text: str) -> int:
        """Count one text, on the spot; the same text is counted once."""
        return self._memory(text)


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
