"""The vocabulary: looked for when first asked for, the best source that is there, and an estimate when none is."""

from __future__ import annotations

import base64
import threading
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from pipeline import tokenizer
from pipeline.aside import Aside
from pipeline.telemetry.logs import ElsewhereError
from pipeline.tokenizer import (
    CHUNK,
    ESTIMATE,
    LONGEST_TOKEN,
    UNASKED,
    VOCABULARY_WAIT,
    Loader,
    Tokenizer,
    best,
    counter_of,
)
from stages import counter

Sources = Callable[[Mapping[str, Loader]], None]


@pytest.fixture
def sources(monkeypatch: pytest.MonkeyPatch) -> Sources:
    """Let these be all the sources there are."""

    def these(given: Mapping[str, Loader]) -> None:
        monkeypatch.setattr(tokenizer, "SOURCES", given)
        counter_of.cache_clear()

    return these


def absent(error: Exception) -> Loader:
    """Make a source that cannot be had."""

    def load() -> counter.Tokens:
        raise error

    return load


def counting(tokens: Callable[[str], int]) -> Loader:
    """Make a source that counts this way."""
    return lambda: tokens


def here() -> Tokenizer:
    """Make a tokenizer whose vocabulary is loaded on the spot."""
    return Tokenizer(apart=Aside(inline=2**40))


async def test_nothing_is_looked_for_before_somebody_asks(sources: Sources) -> None:
    """A process that never counts has no vocabulary, and says so."""
    asked: list[str] = []

    def load() -> counter.Tokens:
        asked.append("a")
        return len

    sources({"a": load})
    own = here()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(own.load)
        await wait_all_tasks_blocked()
        assert (own.source, asked) == (UNASKED, [])
        assert await own.ready() == "a"

    assert (own.source, asked) == ("a", ["a"])


def test_the_first_source_that_is_there_is_taken(sources: Sources) -> None:
    """A source that is not installed, or has no network, is passed over in silence."""
    sources({"a": absent(ImportError()), "b": absent(ConnectionError()), "c": counting(len), "d": absent(OSError())})
    assert best() == "c"

    sources({"a": absent(ValueError("a broken file"))})
    assert best() == ESTIMATE


async def test_a_source_that_hangs_is_given_up(sources: Sources, mock_clock: MockClock) -> None:
    """Who asks waits a moment and gets the estimate; a download without an end is given up, and the estimate stays."""
    release, begun = threading.Event(), trio.Event()
    token = trio.lowlevel.current_trio_token()

    def hang() -> counter.Tokens:
        token.run_sync_soon(begun.set)
        release.wait()
        return len

    sources({"hanging": hang})
    own, told = Tokenizer(apart=Aside(inline=-1, threaded=2**40)), list[str]()

    async def ask() -> None:
        told.append(await own.ready())

    async with trio.open_nursery() as nursery:
        nursery.start_soon(own.load)
        await wait_all_tasks_blocked()
        nursery.start_soon(ask)
        await begun.wait()
        mock_clock.jump(VOCABULARY_WAIT)
        await wait_all_tasks_blocked()
        assert (told, own.source) == ([ESTIMATE], UNASKED)
        mock_clock.jump(10.1)
    release.set()

    assert own.source == ESTIMATE


async def test_a_process_that_ends_leaves_the_estimate(sources: Sources) -> None:
    """Whatever struck it."""
    sources({"a": absent(ElsewhereError("somewhere"))})
    own = here()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(own.load)
        await wait_all_tasks_blocked()
        assert await own.ready() == ESTIMATE


async def test_without_a_search_there_is_the_estimate() -> None:
    """As in a process that opened no service: nobody waits for what nobody looks for."""
    assert await Tokenizer().ready() == ESTIMATE
    assert counter_of(ESTIMATE)("hello there, world") == counter.count_pieces("hello there, world")
    assert counter_of("words")("hello there") == counter.count_pieces("hello there")


async def test_the_vocabulary_is_in_a_process_of_its_own() -> None:
    """Loading it would hold everything up here; counting finds it there, the same one for every text."""
    pytest.importorskip("toktok")
    own = Tokenizer()
    try:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(own.load, 600.0)
            await wait_all_tasks_blocked()
            await own.ready()  # which may not wait long enough on a busy machine; the search goes on
        assert own.source == "toktok"
        assert await own.run(_tokens, own.source, "hello world") == 2
    finally:
        await own.close()


def _tokens(source: str, text: str) -> int:
    return counter_of(source)(text)


async def test_what_is_at_hand_counts_and_nobody_waits_for_more(sources: Sources) -> None:
    """Until the vocabulary is there the estimate counts; afterwards, and in its process, the vocabulary does."""
    sources({"letters": counting(len)})
    own = here()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(own.load)
        await wait_all_tasks_blocked()
        assert (await own.tokens("two words"), await own.fitting("two words", 1)) == (2, ("two", 1))
        own.want()

    assert (await own.tokens("two words"), await own.fitting("two words", 5)) == (9, ("two w", 5))


async def test_a_vocabulary_that_is_lost_leaves_the_estimate(sources: Sources) -> None:
    """Its process was ended: the answer under way is counted all the same."""

    def lost(text: str) -> int:
        raise ElsewhereError(text[:1])

    sources({"lost": counting(lost)})
    own = here()
    own.source = "lost"

    assert (await own.tokens("two words"), await own.fitting("two words", 1)) == (2, ("two", 1))


async def test_a_beginning_may_have_more_tokens_than_a_longer_one(sources: Sources) -> None:
    """A word that is one token is several as long as it is not whole; the longest beginning counts."""
    sources({"words": counting(lambda text: 1 if text in ("", "notwithstanding") else len(text))})
    own = here()
    own.source = "words"

    assert await own.fitting("notwithstanding, it", 1) == ("notwithstanding", 1)


@pytest.mark.parametrize(
    ("text", "limit", "fits"),
    [
        ("Unfortunately not", 1, "Unfortunately"),
        ("Entertainment", 1, "Entertainment"),
        ("Yes, of course", 1, "Yes"),
        ("Yes, of course", 2, "Yes,"),
        ("", 3, ""),
        ("x" * 5_000, 1, "x" * LONGEST_TOKEN),
    ],
)
async def test_an_estimate_never_cuts_a_word_in_two(text: str, limit: int, fits: str) -> None:
    """Programs ask for one token to be told a label; a long word is one for a model, and several for the estimate."""
    assert (await Tokenizer().fitting(text, limit))[0] == fits


def test_long_texts_are_counted_in_chunks(sources: Sources) -> None:
    """No chunk is larger than its limit, and together they are the text, cut before blanks where there are any."""
    chunks: list[str] = []

    def tokens(text: str) -> int:
        chunks.append(text)
        return len(text)

    sources({"real": counting(tokens)})
    text = "some words " * 10_000 + "x" * 70_000

    assert counter_of("real")(text) == len(text)
    assert "".join(chunks) == text
    assert max(map(len, chunks)) <= CHUNK
    assert chunks[1].startswith(" ")


def test_lone_surrogates(sources: Sources) -> None:
    """Half an emoji, which no vocabulary takes, is counted as the sign that stands for it."""
    sources({"real": counting(lambda text: len(text.encode()))})

    assert counter_of("real")("a\ud83d") == len("a\ufffd".encode())


def test_nothing_of_a_request_is_shown() -> None:
    """A counter's repr says nothing of what it counted."""
    tokens = counter_of(ESTIMATE)
    tokens("secret " * 40)

    assert "secret" not in repr(tokens)


def test_toktok() -> None:
    """The offline source counts, without any network, and takes what tiktoken chokes on."""
    pytest.importorskip("toktok")
    tokens = counter_of("toktok")

    assert tokens("hello world") == 2
    assert tokens("half \ud83d an emoji") == tokens("half \ufffd an emoji") == 4
    assert tokens(" " * 1_000_000) > 0


def test_tiktoken_from_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sources: Sources) -> None:
    """`TIKTOKEN_CACHE_DIR` is where tiktoken takes its vocabulary from; one that is damaged there is no vocabulary.

    Address and port lead nowhere on this machine, so that the download which follows fails at once.
    """
    monkeypatch.setenv("TIKTOKEN_CACHE_DIR", str(tmp_path))
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    monkeypatch.setattr("tiktoken.registry.ENCODINGS", {})
    damaged = tmp_path / "fb374d419588a4632f3f557e76b4b70aebbca790"
    damaged.write_bytes(base64.b64encode(b"not it") + b" 0\n")
    sources({"tiktoken": tokenizer.SOURCES["tiktoken"]})

    assert best() == ESTIMATE
    assert not damaged.exists()  # tiktoken looked there, and threw away what has the wrong checksum
