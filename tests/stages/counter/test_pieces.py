"""The estimate without a vocabulary: near for every kind of text that was measured."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from stages.counter.pieces import SAMPLED_FROM, WINDOW, count_pieces, estimate, windows
from tests.conftest import ROOT

# Text and its tokens in o200k_base.
SAMPLES = {
    "chinese": ("本协议适用于所有使用本服务的用户。程序在启动时会读取配置文件然后连接到数据库。", 24),
    "russian": ("Этот документ описывает, как настроить сервер. Сначала установите необходимые пакеты.", 18),
    "english": ("The quick brown fox jumps over the lazy dog, and nobody minds it at all.", 17),
    "code": ("def add(left: int, right: int) -> int:\n    return left + right\n", 19),
    "json": ('{"type":"object","properties":{"path":{"type":"string"}},"required":["path"]}', 19),
    "digits": ("3141592653589793", 6),
    "emoji": ("😀😀😀", 3),
}


@pytest.mark.parametrize("kind", SAMPLES)
def test_samples(kind: str) -> None:
    """A sentence of each kind is estimated within a quarter, or 3 tokens."""
    text, tokens = SAMPLES[kind]

    assert abs(estimate(text) - tokens) <= max(3, tokens / 4)


@pytest.mark.parametrize("kind", SAMPLES)
def test_samples_are_true(kind: str) -> None:
    """The numbers above are those of the vocabulary."""
    toktok = pytest.importorskip("toktok")
    text, tokens = SAMPLES[kind]

    assert toktok.batch_count([text], "o200k_base") == [tokens]


def test_nothing_is_skipped() -> None:
    """Every character belongs to a piece, lone surrogates, blanks and controls too; no text counts nothing."""
    assert [estimate(text) for text in ("", " ", "\n", "\x00", "\ud83d", "ก")] == [0, 1, 1, 1, 1, 1]


def test_a_run_is_no_trap() -> None:
    """Long runs of one character are counted in a time that grows with their length alone."""
    assert count_pieces("a" * 400_000) == 50_000
    assert count_pieces(" " * 400_000) <= 2
    assert count_pieces("\n" * 400_000) == 1


@pytest.mark.parametrize("length", [SAMPLED_FROM + 1, 8_192, 100_000, 3_000_000])
def test_windows_are_few_and_spread_over_the_text(length: int) -> None:
    """They lie inside the text, apart from each other, from its first quarter to its last; no more than half of it."""
    begins = windows(length)

    assert begins[0] >= 0
    assert begins[-1] + WINDOW <= length
    assert begins.step > WINDOW
    assert begins[0] < length / 4
    assert begins[-1] > length / 2
    assert len(begins) * WINDOW <= max(length // 2, length // 32 + 4 * WINDOW)


@pytest.mark.parametrize("kind", SAMPLES)
def test_a_long_text_is_estimated_by_its_windows(kind: str) -> None:
    """What is alike all over is estimated as well by a part of it: within 5 % of reading all."""
    text = SAMPLES[kind][0] * 500

    assert estimate(text) == pytest.approx(count_pieces(text), rel=0.05)


def test_a_short_text_is_read_whole() -> None:
    """Its windows would save nothing."""
    text = "two words " * (SAMPLED_FROM // 10)

    assert estimate(text) == count_pieces(text)


def test_recordings(shared: Path) -> None:
    """The texts of the recorded Claude Code requests are, together, within a few percent of the vocabulary."""
    toktok = pytest.importorskip("toktok")
    texts: list[str] = []
    for path in sorted((shared / "recordings" / "claude_code").glob("*.json"))[::5]:
        for request in json.loads(path.read_text(encoding="utf-8"))["requests"]:
            collect(request.get("body"), texts)
    real = sum(toktok.batch_count(texts, "o200k_base"))

    assert real > 10_000
    assert abs(sum(map(estimate, texts)) / real - 1) < 0.06


def test_our_own_sources() -> None:
    """Code is within a few percent of the vocabulary."""
    toktok = pytest.importorskip("toktok")
    texts = [path.read_text(encoding="utf-8") for path in sorted((ROOT / "stages").rglob("*.py"))]
    real = sum(toktok.batch_count(texts, "o200k_base"))

    assert abs(sum(map(estimate, texts)) / real - 1) < 0.06


def collect(value: object, texts: list[str]) -> None:
    """Gather all strings of a JSON value."""
    if isinstance(value, str):
        texts.append(value)
    elif isinstance(value, dict):
        for item in value.values():
            collect(item, texts)
    elif isinstance(value, list):
        for item in value:
            collect(item, texts)
