"""What waits of a batch: how its lines are put together for the upstream, and what its manifest says."""

from __future__ import annotations

import pytest

from pipeline.endpoints.batches.line import Line
from pipeline.endpoints.batches.spool import Spool
from stages.wire import json


def line(name: str, model: str = "m", prefix: bytes = b"p", skeleton: bytes = b"{}") -> Line:
    """Make a line of ten bytes."""
    return Line(model, f"{name:<9}\n".encode(), prefix, skeleton)


async def parts(spool: Spool, max_lines: int = 99, max_bytes: int = 10_000) -> list[tuple[str, list[str]]]:
    """The parts as they would be sent: the model, and the names in the order of the lines."""
    await spool.flush()
    told = []
    for model, places in spool.parts(max_lines, max_bytes):
        with spool.part_file(places) as file:
            file.seek(0)
            told.append((model, file.read().decode().split()))
    return told


@pytest.mark.parametrize("limits", [{"max_lines": 2}, {"max_bytes": 29}])
async def test_parts_have_one_model_and_a_size(limits: dict[str, int]) -> None:
    """No line is lost, doubled, or among those of another model, whichever limit cuts."""
    with Spool({}) as spool:
        for at in range(7):
            spool.add(f"c{at}", line(f"n{at}", model="ab"[at % 2]))

        found = await parts(spool, **limits)

    assert found == [("a", ["n0", "n2"]), ("a", ["n4", "n6"]), ("b", ["n1", "n3"]), ("b", ["n5"])]


async def test_lines_of_one_prefix_stand_together() -> None:
    """In the order in which the prefixes came, and each in its own order."""
    with Spool({}) as spool:
        for at, prefix in enumerate((b"x", b"y", b"x", b"z", b"y")):
            spool.add(f"c{at}", line(f"n{at}", prefix=prefix))

        assert await parts(spool) == [("m", ["n0", "n2", "n1", "n4", "n3"])]


async def test_the_manifest_tells_each_skeleton_once() -> None:
    """And of every request which of them is its own, or the result that it has."""
    with Spool({"dragoman": 1}) as spool:
        for at, skeleton in enumerate((b'{"a":1}', b'{"a":2}', b'{"a":1}')):
            spool.add(f"c{at}", line("n", skeleton=skeleton))
        spool.add_ready("c3", {"type": "error"})
        await spool.flush()
        spool.manifest.seek(0)
        told = [json.decode(one) for one in spool.manifest]

    assert told == [
        {"dragoman": 1},
        {"plan": {"a": 1}},
        {"id": "c0", "use": 0},
        {"plan": {"a": 2}},
        {"id": "c1", "use": 1},
        {"id": "c2", "use": 0},
        {"id": "c3", "error": {"type": "error"}},
    ]
    assert (spool.total, spool.ready) == (4, 1)
