"""Writes `docs/reliability.md` out of what runs have found: `make reliability`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from tests.conftest import ROOT

PAGE = ROOT / "docs" / "reliability.md"
"""The page."""

Noted = Callable[[str], dict[str, Any]]
"""What a kind of run has found last, by its name; empty where there was none."""

_FAULTS = {
    "none": "nothing",
    "cut": "the upstream closes in the middle of its answer",
    "reset": "it resets the connection there",
    "stall": "it says nothing more",
    "no_chunk": "bytes that are no HTTP come",
    "no_json": "an event that is no JSON comes",
    "other_json": "events with values of the wrong types, and unknown ones",
    "dribble": "an event comes byte by byte",
    "huge": "an event larger than the limit comes",
    "failed": "the upstream says that it failed",
    "closed": "it closes before it answers",
    "silent": "it never answers",
    "page": "502 with a page for people",
    "limited": "429",
    "no_http": "it answers in another protocol",
}
_HEAD = """# What was tried, and what became of it

Written by the harness (`make reliability`, out of `tests/chaos/measured/`): a real server in its own process, between
an upstream and clients on real sockets that both misbehave, by a seed. `make test` plays each fault with each client
once; `make soak` plays as long as you let it, and notes what is below. Every text that arrives is compared with what
the upstream was to say.

*whole*: all of the text, and one `message_stop`. *error*: what had come of the text, and one `error` event. A number:
that HTTP status in Anthropic's envelope, before anything else was said. *cut*: the connection ended, and the client can
tell. *nothing*: it ended before the answer began. *left*: the client did. *wrong*: what looks whole and is not the text
that was to be said.
"""


def page(noted: Noted) -> str:
    """Write the page."""
    sections = (_chaos, _events, _fuzz, _others, _overload, _soak, _kills, _bulk)
    found = ["\n".join(section(noted)) for section in sections]
    return "\n".join([_HEAD, *(text + "\n" for text in found if text)]).rstrip() + "\n"


def _chaos(noted: Noted) -> Iterator[str]:
    chaos = noted("chaos")
    if chaos:
        first, last = chaos["seeds"]
        yield "## Faults of the upstream, with every client\n"
        yield f"Seeds {first} to {last}; {len(chaos['unlike'])} surprises.\n"
        outcomes: Mapping[str, Any] = chaos["outcomes"]
        clients = sorted({client for by_client in outcomes.values() for client in by_client})
        yield from _table(["what happens", "tried", *clients], (_fault(*each, clients) for each in outcomes.items()))


def _fault(fault: str, by_client: Mapping[str, Mapping[str, int]], clients: Iterable[str]) -> list[str]:
    tried = sum(sum(counts.values()) for counts in by_client.values())
    return [_FAULTS[fault], f"{tried:,}", *(_counts(by_client.get(client, {})) for client in clients)]


def _events(noted: Noted) -> Iterator[str]:
    events = noted("chaos").get("events")
    if events:
        yield "## Events of the server's own\n"
        rows = ([event, kind, _counts(counts)] for event, kinds in events.items() for kind, counts in kinds.items())
        yield from _table(["event", "streams", "outcomes"], rows)
        yield "\n*short* ends within the grace, *long* does not; *behind* came after it."


def _fuzz(noted: Noted) -> Iterator[str]:
    runs = [found for way in ("dragoman", "hypercorn", "h2", "http 1.1") if (found := noted(f"fuzz {way}"))]
    if runs:
        yield "## Hostile bytes\n"
        yield "Mutated requests on the listening socket, by `tests/fuzz`, beside streams that are read.\n"
        names = ["server", "connections", "streams at once", "streams whole", "descriptors lost", "exit code", "seed"]
        yield from _table(names, ([_shown(run[name]) for name in names] for run in runs))
        yield from (f"\n{run['note']}" for run in runs if "note" in run)


def _others(noted: Noted) -> Iterator[str]:
    if runs := noted("others").get("runs"):
        yield "## Upstreams that others have made to fail\n"
        names = ["program", "what it does", "cases", "as they should be", "by"]
        yield from _table(names, ([_shown(run[name]) for name in names] for run in runs))


def _overload(noted: Noted) -> Iterator[str]:
    run = noted("overload")
    if run:
        yield "## Ten times too much\n"
        yield f"{run['places']:,} places (`limits.requests`), {run['requests a second']:,} requests a second for"
        yield f"{run['seconds']:g} seconds, on {run['processors']} processors that the load shares, beside"
        yield f"{run['beside']}:"
        yield f"{_counts(run['outcomes'])}. {run['refusals with retry-after']:,} refusals said when to come again."
        after = run["first request after"]
        yield f"The first request after it: {_counts(after['outcomes'])}, after {after['first event ms']:g} ms.\n"
        times: Mapping[str, Mapping[str, float]] = run["times"]
        names = ["p50 ms", "p99 ms", "most ms"]
        yield from _table(["", *names], ([name, *(f"{of[key]:g}" for key in names)] for name, of in times.items()))


def _soak(noted: Noted) -> Iterator[str]:
    run = noted("soak")
    if run:
        rss, files, tasks = run["rss MB"], run["descriptors"], run["tasks"]
        yield "## A long time\n"
        yield f"{run['streams at once']:,} paced streams at once for {run['minutes']:g} minutes, seed {run['seed']}:"
        yield f"{_counts(run['outcomes'])}; {run['faults']} faults, exit code {run['exit code']}.\n"
        rows = [
            [
                "memory, MB",
                f"{rss['before']}, {rss['filled']} with all that is remembered" if "filled" in rss else rss["before"],
                f"{rss['steady']} to {rss['end']}",
                f"{rss.get('after', '')} ({run['rss slope MB/h']:+g} an hour meanwhile)",
            ],
            ["descriptors", files["before"], f"{files['most']} at most", files["after"]],
            ["tasks", tasks["before"], f"{tasks['least']} to {tasks['most']}", tasks["after"]],
        ]
        yield from _table(["", "before", "meanwhile", "after"], ([str(cell) for cell in row] for row in rows))
        yield from (f"\n{remark}" for remark in run.get("remarks", ()))


def _kills(noted: Noted) -> Iterator[str]:
    run = noted("kills")
    if run:
        yield "## Killed in the middle of batches\n"
        yield f"Batches of {run['requests']} requests of three models, `kill -9` at moments by seed {run['seed']}, then"
        yield "another server, and a client that was told nothing (`python -m tests.chaos.kills`). *calls*: a server"
        yield f"of its own for each call. The worst of each row; here, {run['at_once']} are under way at once.\n"
        counts = ["rounds", "lost", "doubled", "wrong", "again", "left"]
        rows = ([*way.split(), *(_shown(of[name]) for name in counts)] for way, of in run["rounds"].items())
        wrong = ["lost", "twice", "another's", "paid again", "left running"]
        yield from _table(["kept by", "killed at", "rounds", *wrong], rows)


def _bulk(noted: Noted) -> Iterator[str]:
    runs = {where: found for where in ("upstream", "local") if (found := noted(f"bulk {where}"))}
    if runs:
        yield "## A large batch\n"
        yield "Requests of three models, streamed in, run and read, beside the emulator in a process of its own on"
        yield "the same processors (`python -m tests.pipeline.endpoints.batches.bulk`). Megabytes are the most that the"
        yield "server's process has had until then.\n"
        names = ["requests", "at rest", "created", "run", "results", "lost", "doubled", "wrong", "seconds for 10,000"]
        head = ["kept by", "requests", "MB at rest", "created", "run", "read", "lost", "twice", "another's", names[-1]]
        yield from _table(head, ([where, *(_shown(of[name]) for name in names)] for where, of in runs.items()))


def _table(names: list[str], rows: Iterable[list[str]]) -> Iterator[str]:
    yield f"| {' | '.join(names)} |"
    yield f"|{'---|' * len(names)}"
    for row in rows:
        yield f"| {' | '.join(row)} |"


def _counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{outcome}: {count:,}" for outcome, count in sorted(counts.items(), key=lambda each: -each[1]))


def _shown(value: object) -> str:
    return f"{value:,}" if isinstance(value, int) else str(value)


if __name__ == "__main__":
    from tests.chaos.measured import noted

    PAGE.write_text(page(noted), encoding="utf-8")
