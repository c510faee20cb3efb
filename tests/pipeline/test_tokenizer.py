"""The vocabulary: loaded beside everything else, the best source that is there, and an estimate when none is."""

from __future__ import annotations

import base64
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
import trio
from trio.testing import MockClock

from pipeline.tokenizer import CHUNK, SOURCES, Loader, Tokenizer
from stages import counter
from stages.canonical.request import Message, Request, Text


def request(text: str) -> Request:
    """Make a request of one text."""
    return Request("claude-opus-5-5", (Message("user", (Text(text),)),))


def absent(error: Exception) -> Loader:
    """Make a source that cannot be had."""

    def load() -> counter.Tokens:
        raise error

    return load


def counting(tokens: Callable[[str], int]) -> Loader:
    """Make a source that counts this way."""
    return lambda: tokens


async def test_before_loading_there_is_an_estimate() -> None:
    """Counts are there from the first moment on."""
    tokenizer = Tokenizer()

    assert tokenizer.source == "estimate"
    assert tokenizer.tokens("hello there, world") == counter.estimate("hello there, world")


async def test_the_first_source_that_is_there_is_taken() -> None:
    """A source that is not installed, or has no network, is passed over in silence."""
    tokenizer = Tokenizer()
    seven = counting(lambda _: 7)
    await tokenizer.load(
        {"a": absent(ImportError()), "b": absent(ConnectionError()), "c": seven, "d": absent(OSError())}
    )

    assert (tokenizer.source, tokenizer.tokens("anything")) == ("c", 7)


async def test_no_source_at_all() -> None:
    """When none is to be had, the estimate stays."""
    tokenizer = Tokenizer()
    await tokenizer.load({"a": absent(ValueError("a broken file"))})

    assert tokenizer.source == "estimate"


async def test_a_source_that_hangs_is_given_up(mock_clock: MockClock) -> None:
    """A download without an end does not hold up anything for longer than the patience."""
    tokenizer, release, begun = Tokenizer(), threading.Event(), trio.Event()
    token = trio.lowlevel.current_trio_token()

    def hang() -> counter.Tokens:
        token.run_sync_soon(begun.set)
        release.wait()
        return lambda _: 7

    async with trio.open_nursery() as nursery:
        nursery.start_soon(tokenizer.load, {"hanging": hang}, 10.0)
        await begun.wait()
        mock_clock.jump(10.1)
    release.set()

    assert tokenizer.source == "estimate"


async def test_loading_holds_nothing_up() -> None:
    """While a source loads, other tasks run and counts are estimates."""
    tokenizer, release = Tokenizer(), threading.Event()

    def slow() -> counter.Tokens:
        release.wait()
        return lambda _: 7

    async with trio.open_nursery() as nursery:
        nursery.start_soon(tokenizer.load, {"slow": slow})
        await trio.testing.wait_all_tasks_blocked()
        assert tokenizer.source == "estimate"
        release.set()

    assert tokenizer.source == "slow"


async def test_what_was_estimated_is_counted_anew() -> None:
    """Estimates that are remembered do not outlive the loading."""
    tokenizer, text = Tokenizer(), "some words " * 20
    tokenizer.tokens(text)
    await tokenizer.load({"real": counting(len)})

    assert tokenizer.tokens(text) == len(text)


async def test_long_texts_are_counted_in_chunks() -> None:
    """No chunk is larger than its limit, and together they are the text, cut before blanks where there are any."""
    chunks: list[str] = []

    def tokens(text: str) -> int:
        chunks.append(text)
        return len(text)

    tokenizer = Tokenizer()
    await tokenizer.load({"real": counting(tokens)})
    text = "some words " * 10_000 + "x" * 70_000

    assert tokenizer.tokens(text) == len(text)
    assert "".join(chunks) == text
    assert max(map(len, chunks)) <= CHUNK
    assert chunks[1].startswith(" ")


async def test_lone_surrogates() -> None:
    """Half an emoji, which no vocabulary takes, is counted as the sign that stands for it."""
    tokenizer = Tokenizer()
    await tokenizer.load({"real": counting(lambda text: len(text.encode()))})

    assert tokenizer.tokens("a\ud83d") == len("a\ufffd".encode())


def test_a_source_by_name() -> None:
    """As a process loads it that only counts; a name that is not known, or not to be had, is the estimate."""
    pytest.importorskip("toktok")

    assert Tokenizer.of("toktok").tokens("hello world") == 2
    assert Tokenizer.of("words").source == "estimate"


async def test_nothing_of_a_request_is_shown() -> None:
    """The vocabulary's repr says nothing of what it counted."""
    tokenizer = Tokenizer()
    tokenizer.tokens("secret " * 40)

    assert "secret" not in repr(tokenizer)


async def test_toktok() -> None:
    """The offline source counts, without any network, and takes what tiktoken chokes on."""
    pytest.importorskip("toktok")
    tokenizer = Tokenizer()
    await tokenizer.load({"toktok": SOURCES["toktok"]})

    assert tokenizer.source == "toktok"
    assert tokenizer.tokens("hello world") == 2
    assert tokenizer.tokens("half \ud83d an emoji") == tokenizer.tokens("half \ufffd an emoji") == 4
    assert tokenizer.tokens(" " * 1_000_000) > 0


async def test_tiktoken_from_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`TIKTOKEN_CACHE_DIR` is where tiktoken takes its vocabulary from; one that is damaged there is no vocabulary.

    Address and port lead nowhere on this machine, so that the download which follows fails at once.
    """
    monkeypatch.setenv("TIKTOKEN_CACHE_DIR", str(tmp_path))
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    monkeypatch.setattr("tiktoken.registry.ENCODINGS", {})
    damaged = tmp_path / "fb374d419588a4632f3f557e76b4b70aebbca790"
    damaged.write_bytes(base64.b64encode(b"not it") + b" 0\n")
    tokenizer = Tokenizer()
    await tokenizer.load({"tiktoken": SOURCES["tiktoken"]})

    assert tokenizer.source == "estimate"
    assert not damaged.exists()  # tiktoken looked there, and threw away what has the wrong checksum
