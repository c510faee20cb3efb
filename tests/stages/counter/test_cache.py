"""Counts are remembered by hash, bounded, and without the texts."""

from __future__ import annotations

import gc

import attrs

from stages.counter.cache import TokenCache


@attrs.define
class Counting:
    """A vocabulary that says how often it was asked."""

    asked: list[int] = attrs.field(factory=list)

    def __call__(self, text: str) -> int:
        """Count characters."""
        self.asked.append(len(text))
        return len(text)


def test_a_text_is_counted_once() -> None:
    """The second time, the vocabulary is not asked."""
    tokenizer = Counting()
    memory = TokenCache(tokenizer)

    assert [memory("long " * 50), memory("long " * 50)] == [250, 250]
    assert tokenizer.asked == [250]


def test_what_was_asked_for_longest_ago_is_forgotten() -> None:
    """The number of entries is bounded, and the ones in use stay."""
    tokenizer = Counting()
    memory = TokenCache(tokenizer, entries=2)
    for length in (100, 200, 100, 300, 100, 200):
        memory("x" * length)

    assert len(memory) == 2
    assert tokenizer.asked == [100, 200, 300, 200]


def test_no_text_is_kept() -> None:
    """Neither the memory nor its repr holds what users wrote."""
    memory = TokenCache(len)
    memory("secret " * 20)

    held = [thing for thing in gc.get_referents(memory._known) if isinstance(thing, str)]
    assert held == []
    assert "secret" not in repr(memory)
