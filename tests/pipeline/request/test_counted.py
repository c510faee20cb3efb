"""What an answer says by a count of ours: where it is cut, and what it has cost when a stop sequence has ended it."""

from __future__ import annotations

import attrs

from pipeline.request.counted import Events, prepare, with_counts
from stages.canonical.events import BLOCK_STOP, MessageEnd, TextDelta, TextStart, Usage
from stages.canonical.plan import AnswerPlan

PLAN = AnswerPlan("msg_1", "m", "u")


@attrs.define
class Letters:
    """Counts letters, and knows whether it was told in time that it would be asked."""

    wanted: bool = False

    def want(self) -> None:
        """Hear it."""
        self.wanted = True

    async def tokens(self, text: str) -> int:
        """Count, without a wait."""
        return len(text)

    async def fitting(self, text: str, limit: int) -> tuple[str, int]:
        """Cut, without a wait."""
        return text[:limit], len(text[:limit])


class Told:
    """Tells these events, then no more."""

    def __init__(self, *batches: Events) -> None:
        self._left = list(batches)

    async def receive(self) -> Events:
        """Return the next ones, without a wait."""
        return self._left.pop(0) if self._left else []


async def heard(plan: AnswerPlan, *batches: Events) -> list[Events]:
    """Read an answer to its end."""
    reader, out = with_counts(Told(*batches), plan, Letters()), list[Events]()
    while events := await reader.receive():
        out.append(events)
    return out


def test_most_answers_need_no_count() -> None:
    """And pay nothing for those that do; whoever warms a cache is told no text that could be counted."""
    letters, told = Letters(), Told()

    assert with_counts(told, PLAN, letters) is told
    prepare(PLAN, letters)
    prepare(attrs.evolve(PLAN, cut_at=0), letters)
    assert not letters.wanted
    prepare(attrs.evolve(PLAN, stop_sequences=("X",)), letters)
    assert letters.wanted


async def test_a_stopped_answer_has_cost_what_the_client_saw_and_the_sequence() -> None:
    """The prompt's size stays as it was told."""
    said: Events = [TextStart(), TextDelta("ab"), TextDelta("c")]
    end = MessageEnd("stop_sequence", Usage(input_tokens=7), stop_sequence="END")
    cost = attrs.evolve(end, usage=Usage(input_tokens=7, output_tokens=6))

    assert await heard(attrs.evolve(PLAN, stop_sequences=("END",)), said, [BLOCK_STOP, end]) == [
        said,
        [BLOCK_STOP, cost],
    ]


async def test_an_answer_that_no_sequence_has_ended_keeps_its_usage() -> None:
    """The upstream has told it."""
    said: Events = [TextStart(), TextDelta("abc"), BLOCK_STOP, MessageEnd("end_turn", Usage(7, 2))]

    assert await heard(attrs.evolve(PLAN, stop_sequences=("END",)), said) == [said]


async def test_a_limit_holds_a_text_until_it_is_counted() -> None:
    """Nothing passes at first; the cut text comes with the end of its block."""
    plan = attrs.evolve(PLAN, cut_at=2)

    assert await heard(plan, [TextStart(), TextDelta("abc")], [BLOCK_STOP], [MessageEnd("end_turn")]) == [
        [TextStart(), TextDelta("ab"), BLOCK_STOP],
        [MessageEnd("max_tokens")],
    ]
