"""Everything that may go wrong upstream, with every kind of client, beside events of the server's own.

Each by a seed (`SOAK_SEED`); `make soak` plays many rounds and writes what became of them into the report.
"""

from __future__ import annotations

import os
from pathlib import Path

from tests.chaos.measured import noted
from tests.chaos.report import PAGE, page
from tests.chaos.runs import between, cases, play, returns, unlike
from tests.chaos.server_events import AFTER, told_to_end, worker_killed

SEED = int(os.environ.get("SOAK_SEED", "1"))


async def test_faults_and_clients(tmp_path: Path) -> None:
    """Each answer ends as it may, nothing of ours fails, and nothing stays open."""
    async with between(tmp_path) as (running, chaos):
        before = running.descriptors
        outcomes = await play(running.port, cases(SEED), at_once=60)
        assert unlike(outcomes) == []
        assert await returns(running, before) == 0
        assert chaos.open <= 100
        assert running.alive
        assert '"event": "fault"' not in running.logged()
        assert "Traceback" not in running.logged()


async def test_the_server_is_told_to_end(tmp_path: Path) -> None:
    """Short streams end by themselves, long ones get their error, and the process ends well."""
    outcomes, code = await told_to_end(tmp_path, SEED)

    assert [each for each in outcomes if each[1] not in AFTER["SIGTERM"][each[0]]] == []
    assert code == 0


async def test_a_worker_is_killed(tmp_path: Path) -> None:
    """Its own streams are cut, never ended as if they were whole; nobody else notices."""
    outcomes, behind = await worker_killed(tmp_path, SEED)

    assert [each for each in outcomes if each[1] not in AFTER["a worker is killed"][each[0]]] == []
    assert set(behind) == {"whole"}


def test_the_report_is_up_to_date() -> None:
    """`make reliability` writes the page out of what runs have found."""
    assert PAGE.read_text(encoding="utf-8") == page(noted)
