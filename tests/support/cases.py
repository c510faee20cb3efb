"""One test over a long table of small cases, which names each of them that fails.

As an item of pytest's own, a case costs some eight milliseconds of work with its fixtures, its event loop, its report
and what every worker has to collect: more than most of the small ones take themselves, times thousands.  So a table of
up to ten cases is `pytest.mark.parametrize`, each with its fixtures made anew, and a longer one is `cases`, which share
them.

`CASE=word pytest ...` plays those alone whose name contains the word.
"""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import wraps
from typing import Any, TypeVar, cast

import attrs
import pytest

SHOWN = 5
"""Failures that are shown whole; the others are named."""

Result = TypeVar("Result")


def cases(
    names: str | tuple[str, ...], table: Iterable[Any], ids: Callable[[Any], object] = str, parts: int = 1
) -> Callable[[Callable[..., Result]], Callable[..., Result]]:
    """Call a test with each row of a table, in one item of pytest's; it fails with all that failed.

    Args:
        names: the argument that a row is, or those that it holds.
        table: the rows; `pytest.param(..., id="name")` gives one a name.
        ids: what to call a value in the name of its case.
        parts: items that share the rows, for a table that takes so long that processes should share it.
    """
    rows = [_Case.of(names, row, ids) for row in table]

    def over_the_table(test: Callable[..., Result]) -> Callable[..., Result]:
        if inspect.iscoroutinefunction(test):

            @wraps(test)
            async def whole(*args: Any, **fixtures: Any) -> None:
                with _all_of(rows, fixtures, parts) as (chosen, failures):
                    for case in chosen:
                        with failures.noted(case):
                            await test(*args, **fixtures, **case.arguments)

        else:

            @wraps(test)
            def whole(*args: Any, **fixtures: Any) -> None:
                with _all_of(rows, fixtures, parts) as (chosen, failures):
                    for case in chosen:
                        with failures.noted(case):
                            test(*args, **fixtures, **case.arguments)

        return _shared_out(_without(cast("Callable[..., Result]", whole), names), parts)

    return over_the_table


@attrs.frozen
class _Case:
    name: str
    arguments: dict[str, Any]

    @classmethod
    def of(cls, names: str | tuple[str, ...], row: Any, ids: Callable[[Any], object]) -> _Case:
        values = row.values if hasattr(row, "marks") else (row,) if isinstance(names, str) else row
        name = getattr(row, "id", None) or ", ".join(str(ids(value))[:80] for value in values)
        return cls(name, dict(zip((names,) if isinstance(names, str) else names, values, strict=True)))


@attrs.frozen
class _Failures:
    found: list[BaseException] = attrs.field(factory=list)
    names: list[str] = attrs.field(factory=list)

    @contextmanager
    def noted(self, case: _Case) -> Iterator[None]:
        """Go on with the next case after one that fails."""
        try:
            yield
        except (Exception, pytest.fail.Exception) as failure:  # noqa: BLE001 - raised below, with the others
            failure.add_note(f"case: {case.name}")
            self.found.append(failure)
            self.names.append(case.name)


@contextmanager
def _all_of(rows: Sequence[_Case], fixtures: dict[str, Any], parts: int) -> Iterator[tuple[Sequence[_Case], _Failures]]:
    """Give the cases to be tried and the place for what fails, and raise that at the end."""
    mine = rows[fixtures.pop("part", 0) :: parts]
    word, failures = os.environ.get("CASE", ""), _Failures()
    assert rows, "a table without a row"
    yield [case for case in mine if word in case.name], failures
    if failures.found:
        count = f"{len(failures.names)} of {len(mine)} cases: {'; '.join(failures.names)}"
        raise BaseExceptionGroup(count, failures.found[:SHOWN])


def _without(test: Callable[..., Result], names: str | tuple[str, ...]) -> Callable[..., Result]:
    """Take arguments out of a signature, so that pytest looks for no fixture of that name."""
    gone = {names} if isinstance(names, str) else set(names)
    return _asking_for(test, [each for each in inspect.signature(test).parameters.values() if each.name not in gone])


def _shared_out(test: Callable[..., Result], parts: int) -> Callable[..., Result]:
    """Make as many items of a test, each of which is told which one it is."""
    if parts == 1:
        return test
    part = inspect.Parameter("part", inspect.Parameter.KEYWORD_ONLY)
    asking = _asking_for(test, [*inspect.signature(test).parameters.values(), part])
    marked: Callable[..., Result] = pytest.mark.parametrize("part", range(parts))(asking)
    return marked


def _asking_for(test: Callable[..., Result], arguments: Sequence[inspect.Parameter]) -> Callable[..., Result]:
    vars(test)["__signature__"] = inspect.Signature(arguments)
    return test
