"""Everything that recorded requests say is accounted for: answered or refused by name, and nothing lost in silence.

The requests are the real Claude Code's and those that others have sent to Anthropic.  What counts as accounted for is
read here from the body as it came, not from our tree of it: each field is named by the report, or is of a kind that
the tables say is kept or translated, and is then in no need of a word.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pipeline.emulator import EmulatorTransport
from stages.canonical.report import UNFAITHFUL, Disposition
from stages.canonical.request import Caller, Request
from stages.decoder import decode_request
from stages.mapper import Mapped, Target, map_request
from tests.conftest import SHARED
from tests.support.account import Account
from tests.support.cases import cases
from tests.support.client import MemoryClient
from tests.support.judges import judge_upstream_request
from tests.support.running import client_of
from tests.support.spread import share

CLIENTS = sorted(path.relative_to(SHARED) for path in (SHARED / "recordings/claude_code").glob("*.json"))
OTHERS = sorted(path.relative_to(SHARED) for path in (SHARED / "recordings/anthropic").glob("*/*.json"))
MODELS = ("gpt-6.2-sol", "gpt-5.2", "gpt-4o")
"""One model that takes everything, one that takes less, one that does not reason."""


def requests(path: Path) -> Iterator[tuple[dict[str, Any], bool, dict[str, str]]]:
    """The requests of one recording: body, whether it asks for a count alone, headers; same bodies come once."""
    record = json.loads((SHARED / path).read_bytes())
    many = record.get("requests") or [{"body": record.get("request"), "path": record.get("url", ""), "headers": []}]
    seen = set()
    for one in many:
        body, where = one.get("body"), one.get("path", "")
        if isinstance(body, dict) and isinstance(body.get("messages"), list) and "batches" not in where:
            key = json.dumps(body, sort_keys=True)
            if key not in seen:
                seen.add(key)
                yield body, "count_tokens" in where, {name.lower(): value for name, value in one.get("headers", [])}


def mapped(body: dict[str, Any], *, counting: bool) -> Mapped | None:
    """Map a request; None when it is refused, with a reason."""
    request = decode_request(json.dumps(body).encode(), counting=counting)
    if not isinstance(request, Request):
        assert request.kind.status < 500
        assert request.message
        return None
    return map_request(request, Caller(), Target(account="acc"), message_id="msg_1")


def silent(body: dict[str, Any], told: Mapped) -> list[str]:
    """The fields of a request that nothing is said about."""
    return Account({note.path: note.disposition for note in told.report.notes}).request(body)


def is_there(value: Any, path: str) -> bool:
    """Whether a path leads somewhere in a body; the name of a field may have dots in it."""
    if not path:
        return True
    steps = path.split(".")
    for length in range(len(steps), 0, -1):
        step, rest = ".".join(steps[:length]), ".".join(steps[length:])
        if isinstance(value, dict) and step in value:
            return is_there(value[step], rest)
        if isinstance(value, list) and step.isdigit() and int(step) < len(value):
            return is_there(value[int(step)], rest)
    return False


def is_named(body: dict[str, Any], path: str) -> bool:
    """Whether a path leads somewhere, or names a field that is deeper inside of the part that it leads to."""
    return is_there(body, path) or is_there(body, path.rpartition(".")[0])


@cases("path", [*CLIENTS, *OTHERS], parts=2)
def test_nothing_is_lost_in_silence(shared: Path, path: Path) -> None:
    """Each field is named by the report, or kept, for its own model and another; each named path is in the request."""
    for body, counting, _ in requests(shared / path):
        for model in (body.get("model"), *share(path, MODELS)):
            asked = {**body, "model": model}
            told = mapped(asked, counting=counting)
            if told is not None:
                assert silent(asked, told) == [], model
                lost = [note.path for note in told.report.notes if not is_named(asked, note.path)]
                assert lost == [], model
                assert judge_upstream_request(told.body) == [], model


async def _ask(client: MemoryClient, body: dict[str, Any], headers: dict[str, str], mode: str) -> tuple[int, str]:
    head = {name: value for name, value in headers.items() if name.startswith(("x-claude", "anthropic-"))}
    sent = {**body, "stream": False}
    reply = await client.request("POST", "/v1/messages", json.dumps(sent).encode(), {**head, "dragoman-mode": mode})
    return reply.status, "" if reply.status == 200 else reply.json()["error"]["message"]


@cases("path", [*CLIENTS, *OTHERS], parts=2)
async def test_answered_or_refused_by_name(shared: Path, path: Path) -> None:
    """Permissive mode answers what is well-formed; strict mode answers the same, or names a place and what is lost."""
    client = client_of(EmulatorTransport(delay=0))
    for body, counting, headers in requests(shared / path):
        if counting:
            continue
        loose, why = await _ask(client, body, headers, "permissive")
        strict, reason = await _ask(client, body, headers, "strict")
        assert loose in (200, 400), why
        if loose == 400:
            assert why
            assert strict == 400
        elif strict != 200:
            place, disposition, words = reason.split(": ", 2)
            assert strict == 400
            assert is_there(body, place), reason
            assert disposition in {disposition.value for disposition in UNFAITHFUL}
            assert words


def test_the_account_finds_what_is_silent() -> None:
    """The measure itself: an unknown field at any depth counts, unless it is named, or in something dropped."""
    body = {
        "model": "m",
        "odd": 1,
        "metadata": {"user_id": "u", "odd": 1},
        "messages": [{"role": "user", "content": [{"type": "text", "text": "x", "odd": 1}, {"type": "new", "odd": 1}]}],
    }
    told = {"model": Disposition.TRANSLATED, "messages": Disposition.TRANSLATED, "metadata": Disposition.TRANSLATED}
    block = "messages.0.content.0"

    assert Account(told).request(body) == ["odd", "metadata.odd", f"{block}.odd", "messages.0.content.1"]
    named = {
        "odd": Disposition.DROPPED,
        f"{block}.odd": Disposition.DROPPED,
        "messages.0.content.1": Disposition.APPROXIMATED,
    }
    assert Account({**told, **named}).request(body) == ["metadata.odd"]
    assert Account({**told, **named, "metadata": Disposition.DROPPED}).request(body) == []


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("a.0.b", True),
        ("a.1", False),
        ("a.0", True),
        ("c.d", True),
        ("c.d.e", True),
        ("c.e", False),
        ("", True),
        ("a.0.b.x", False),
    ],
)
def test_paths_lead_somewhere(path: str, *, found: bool) -> None:
    """The measure of paths itself, with a dot in a name."""
    assert is_there({"a": [{"b": 1}], "c.d": {"e": 1}}, path) is found
