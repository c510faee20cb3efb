"""A table of cases in one test hides no failure, and names each."""

from __future__ import annotations

import inspect

import pytest

from tests.support.cases import SHOWN, cases


def tried_by(test: object) -> list[str]:
    """What pytest would hand to a test."""
    return list(inspect.signature(test).parameters)  # type: ignore[arg-type]


def test_all_cases_are_tried_and_those_that_fail_are_named() -> None:
    """A failure ends its case alone; the group holds the exceptions themselves."""
    tried = []

    @cases("number", range(20))
    def odd_ones(number: int) -> None:
        tried.append(number)
        assert number % 2

    with pytest.raises(ExceptionGroup, match="10 of 20 cases: 0; 2; 4; 6; 8; 10; 12; 14; 16; 18") as raised:
        odd_ones()

    assert tried == list(range(20))
    assert len(raised.value.exceptions) == SHOWN
    assert raised.value.exceptions[1].__notes__ == ["case: 2"]
    assert tried_by(odd_ones) == []


async def test_tests_that_wait() -> None:
    """The same for an async test, for what `pytest.raises` finds, and with fixtures beside the table."""

    @cases(("number", "name"), [pytest.param(1, "one", id="the first"), (2, "two")])
    async def failing(fixture: list[str], number: int, *, name: str) -> None:
        fixture.append(f"{number} {name}")
        with pytest.raises(ValueError, match="none"):
            pass

    seen: list[str] = []
    with pytest.raises(BaseExceptionGroup, match="2 of 2 cases: the first; 2, two"):
        await failing(seen)

    assert seen == ["1 one", "2 two"]
    assert tried_by(failing) == ["fixture"]


def test_a_product_of_tables() -> None:
    """One table over another is each with each."""
    tried = []

    @cases("letter", "ab")
    @cases("number", (1, 2))
    def both(letter: str, number: int) -> None:
        tried.append(f"{letter}{number}")

    both()

    assert tried == ["a1", "a2", "b1", "b2"]


def test_parts_share_the_rows() -> None:
    """Each row falls to one of them."""
    tried = []

    @cases("number", range(7), parts=3)
    def numbers(number: int) -> None:
        tried.append(number)

    assert tried_by(numbers) == ["part"]
    for part in range(3):
        numbers(part=part)
    assert sorted(tried) == list(range(7))


def test_one_case_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """`CASE` chooses by name, as `-k` does."""
    monkeypatch.setenv("CASE", "two")
    tried = []

    @cases("name", ["one", "two", "twenty-two"])
    def words(name: str) -> None:
        tried.append(name)

    words()

    assert tried == ["two", "twenty-two"]


def test_a_table_without_a_row_is_a_mistake() -> None:
    """Its test would be green for ever."""

    @cases("name", [])
    def nothing(name: str) -> None:
        raise AssertionError(name)

    with pytest.raises(AssertionError, match="without a row"):
        nothing()
