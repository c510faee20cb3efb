"""Keys that a command prints: run once for all who wait, again before they end, and never shown."""

# ruff: noqa: ARG001 - a clock that jumps need not be spoken to

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path

import attrs
import pytest
import trio
import trio.testing

from pipeline.settings import Secret, Timing
from pipeline.upstream.carried import Carried
from pipeline.upstream.client import UpstreamClient
from pipeline.upstream.credentials import (
    COMMAND,
    FETCH_TIMEOUT,
    KEY_FILE,
    RENEWAL_MARGIN,
    FetchedKey,
    expiry,
    run_in_shell,
)
from pipeline.upstream.response import UpstreamResponse
from stages.canonical.failure import Failure, Kind
from tests.pipeline.upstream.test_client import Recorder
from tests.support.upstream import Script, ScriptedUpstream, json_script


def token(**claims: object) -> str:
    """A JSON web token that says so; its signature is none."""
    parts = ({"alg": "none"}, claims)
    head, body = (base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts)
    return f"{head}.{body}.sig"


@attrs.define
class Shell:
    """Prints one thing after another, each after a second; an exception is raised, a number is an exit code."""

    prints: list[str | int | Exception]
    runs: int = 0

    async def __call__(self, command: str) -> tuple[int, bytes]:
        """Run."""
        assert command == "print a key"
        self.runs += 1
        await trio.sleep(1)
        printed = self.prints.pop(0) if len(self.prints) > 1 else self.prints[0]
        if isinstance(printed, Exception):
            raise printed
        return (printed, b"secret words") if isinstance(printed, int) else (0, printed.encode())


def command(*prints: str | int | Exception, lifetime: float = 600.0) -> tuple[FetchedKey, Shell]:
    """A command that prints these, and how often it ran; the epoch began with the test."""
    shell, began = Shell(list(prints)), trio.current_time()
    return FetchedKey(
        "print a key", lifetime, attrs.evolve(COMMAND, fetch=shell), lambda: trio.current_time() - began
    ), shell


async def revealed(keys: FetchedKey) -> str:
    """The key of now."""
    key = await keys.key()
    assert isinstance(key, Secret)
    return key.reveal()


async def test_all_who_wait_share_one_run(autojump_clock: trio.testing.MockClock) -> None:
    """A hundred requests at once, one command."""
    keys, shell = command("k-1\n", "k-2")
    found: list[str] = []
    async with trio.open_nursery() as nursery:
        for _ in range(100):
            nursery.start_soon(_append, found, keys)

    assert (shell.runs, set(found), len(found)) == (1, {"k-1"}, 100)


async def _append(found: list[str], keys: FetchedKey) -> None:
    found.append(await revealed(keys))


async def test_a_key_is_replaced_before_it_ends(autojump_clock: trio.testing.MockClock) -> None:
    """A plain key after its lifetime less a quarter; one that tells its end, five minutes before that."""
    keys, shell = command("k-1", token(exp=7200), "k-3", lifetime=400)
    first = await revealed(keys)
    await trio.sleep(299)
    again = await revealed(keys)
    await trio.sleep(2)
    second = await revealed(keys)
    await trio.sleep(7200 - RENEWAL_MARGIN - trio.current_time() + 1)
    third = await revealed(keys)

    assert (first, again, second, third, shell.runs) == ("k-1", "k-1", token(exp=7200), "k-3", 3)


async def test_nobody_waits_for_a_new_key_while_the_old_one_is_good(autojump_clock: trio.testing.MockClock) -> None:
    """One request fetches it, the others go on."""
    keys, _ = command("k-1", "k-2", lifetime=400)
    await revealed(keys)
    await trio.sleep(350)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(keys.key)
        await trio.testing.wait_all_tasks_blocked()
        before = trio.current_time()

        assert await revealed(keys) == "k-1"
        assert trio.current_time() == before
    assert await revealed(keys) == "k-2"


async def test_a_failing_command_leaves_the_old_key_while_it_is_good(autojump_clock: trio.testing.MockClock) -> None:
    """The failure is told once nothing else is left."""
    keys, _ = command("k-1", 1, lifetime=400)
    await revealed(keys)
    await trio.sleep(350)
    assert await revealed(keys) == "k-1"
    await trio.sleep(100)

    assert isinstance(await keys.key(), Failure)


@pytest.mark.parametrize(
    ("printed", "says"),
    [
        (3, "ended with exit code 3"),
        ("", "did not print one key"),
        ("two words", "did not print one key"),
        ("two\nlines", "did not print one key"),
        ("schlüssel", "did not print one key"),
        (FileNotFoundError("sh"), "could not be had (FileNotFoundError)"),
    ],
)
async def test_failures_say_what_to_look_at(
    printed: str | int | Exception, says: str, autojump_clock: trio.testing.MockClock
) -> None:
    """The setting and what happened; not a word of what the command said."""
    failure = await command(printed)[0].key()

    assert isinstance(failure, Failure)
    assert failure.kind is Kind.UNAVAILABLE
    assert failure.message.startswith("The command of upstream.key_command ")
    assert says in failure.message
    assert "secret" not in failure.message


async def test_a_command_that_hangs(autojump_clock: trio.testing.MockClock) -> None:
    """It is given up."""

    async def hang(_: str) -> tuple[int, bytes]:
        await trio.sleep_forever()
        raise AssertionError

    failure = await FetchedKey("x", 1.0, attrs.evolve(COMMAND, fetch=hang)).key()

    assert isinstance(failure, Failure)
    assert f"within {FETCH_TIMEOUT:.0f} seconds" in failure.message


async def test_whoever_leaves_does_not_take_the_key_along(autojump_clock: trio.testing.MockClock) -> None:
    """A request that is cancelled while it runs the command leaves that to the next."""
    keys, shell = command("k-1")
    with trio.move_on_after(0.5):
        await keys.key()

    assert await revealed(keys) == "k-1"
    assert shell.runs == 2


@pytest.mark.parametrize(
    ("key", "end"),
    [
        (token(exp=1000), 1000.0),
        (token(exp=1000.5), 1000.5),
        (token(exp=True), None),
        (token(exp="soon"), None),
        (token(), None),
        ("eyJ.x.y", None),
        ("eyJhbGciOiJub25lIn0.!!.y", None),
        ("sk-plain", None),
    ],
)
def test_when_a_key_ends(key: str, end: float | None) -> None:
    """Only a token tells, and only a number does."""
    assert expiry(key) == end


async def test_the_shell() -> None:
    """Standard output is the key; standard error is for nobody, and the exit code counts."""
    assert await run_in_shell("echo words >&2; printf 'k-%s' 1") == (0, b"k-1")
    assert (await run_in_shell("exit 3"))[0] == 3


async def test_a_file_is_read_again(tmp_path: Path) -> None:
    """A secret that an orchestrator mounts is replaced in its place; what is refused is not kept."""
    file = tmp_path / "key"
    file.write_text("k-1\n")
    keys = FetchedKey(str(file), 600.0, KEY_FILE)
    assert await revealed(keys) == "k-1"

    file.write_text("k-2\n")
    assert await revealed(keys) == "k-1"
    keys.forget(Secret("k-1"))
    assert await revealed(keys) == "k-2"


@pytest.mark.parametrize(
    ("held", "says"),
    [(b"two words", "does not hold one key"), (b"", "does not hold one key"), (None, "FileNotFoundError")],
)
async def test_a_file_that_holds_no_key(tmp_path: Path, held: bytes | None, says: str) -> None:
    """The sentence names the setting, and quotes nothing."""
    if held is not None:
        (tmp_path / "key").write_bytes(held)
    failure = await FetchedKey(str(tmp_path / "key"), 600.0, KEY_FILE).key()

    assert isinstance(failure, Failure)
    assert failure.message.startswith("The file of upstream.api_key_file ")
    assert says in failure.message
    assert "two words" not in failure.message


def test_neither_command_nor_key_shows_itself() -> None:
    """A command may hold a secret of its own."""
    assert "hush" not in repr(FetchedKey("hush", 1.0, COMMAND))


# -- on the wire -----------------------------------------------------------------------------------


async def sent(key: Secret | FetchedKey | None, carried: Carried) -> tuple[str, dict[str, str]]:
    """URL and headers of a request."""
    recorder = Recorder()
    client = UpstreamClient("https://up.example/v1", key, recorder, Timing(), 0, carried)
    await client.post("/responses", b"{}")
    return str(recorder.requests[0].url), dict(recorder.requests[0].headers)


async def test_headers_and_query_of_the_settings() -> None:
    """They go with every request, replace ours of the same name, and the query is encoded."""
    carried = Carried.of({"x-title": Secret("my app"), "authorization": Secret("Basic x")}, {"api-version": "a b"})
    url, headers = await sent(Secret("sk-1"), carried)

    assert url == "https://up.example/v1/responses?api-version=a+b"
    assert (headers["x-title"], headers["authorization"]) == ("my app", "Basic x")
    assert "Basic" not in repr(carried)


@pytest.mark.parametrize(
    ("key", "name", "value"),
    [("k-1", "api-key", "k-1"), (token(exp=9), "authorization", f"Bearer {token(exp=9)}")],
)
@pytest.mark.parametrize("wrap", [Secret, lambda key: command(key)[0]], ids=["set", "printed"])
async def test_azures_headers(
    key: str, name: str, value: str, wrap: Callable[[str], Secret | FetchedKey], autojump_clock: trio.testing.MockClock
) -> None:
    """A key stands in `api-key`, a token of Entra ID is a bearer's."""
    _, headers = await sent(wrap(key), Carried(key_header="api-key"))

    assert headers[name] == value
    assert len({"api-key", "authorization"} & headers.keys()) == 1


REFUSED = json_script({"error": {"message": "No.", "code": "invalid_api_key"}}, 401)


async def test_a_key_that_is_refused_is_replaced_once(autojump_clock: trio.testing.MockClock) -> None:
    """Somebody may have taken it back before its end; a second refusal is the answer."""
    keys, shell = command("k-1", "k-2", "k-3")
    upstream = ScriptedUpstream(REFUSED, Script([b"{}"]))
    client = UpstreamClient("https://up.example/v1", keys, upstream, Timing(), 0)
    answer = await client.post("/responses", b"{}")
    assert isinstance(answer, UpstreamResponse)
    async with answer:
        pass
    assert (shell.runs, len(upstream.requests)) == (2, 2)

    hopeless = UpstreamClient("https://up.example/v1", keys, ScriptedUpstream(REFUSED), Timing(), 0)
    assert isinstance(await hopeless.post("/responses", b"{}"), Failure)
    assert shell.runs == 3


async def test_a_set_key_that_is_refused_is_not_tried_again() -> None:
    """There is no other."""
    upstream = ScriptedUpstream(REFUSED)
    await UpstreamClient("https://up.example/v1", Secret("k"), upstream, Timing(), 2).post("/responses", b"{}")

    assert len(upstream.requests) == 1


async def test_without_a_key_nothing_is_sent(autojump_clock: trio.testing.MockClock) -> None:
    """The command's failure is the request's."""
    upstream = ScriptedUpstream(Script([b"{}"]))
    client = UpstreamClient("https://up.example/v1", command(1)[0], upstream, Timing(), 2)

    assert isinstance(await client.post("/responses", b"{}"), Failure)
    assert upstream.requests == []
