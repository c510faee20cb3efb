"""The pool, over wires that only know whether they are closed."""

from __future__ import annotations

import attrs
import httpx
import pytest
import trio
from trio.testing import MockClock

from pipeline.upstream.http1.pool import Connection, Origin, Pool, Statistics

HERE = Origin("http", "here", 80)
THERE = Origin("http", "there", 80)


@attrs.define(eq=False)
class FakeWire:
    """A wire that is asked, not used."""

    stale: bool = False
    closed: bool = False

    async def receive(self) -> bytes:
        """Never: nothing is exchanged here."""
        raise NotImplementedError

    def send_some(self, data: bytes) -> bytes:
        """Nothing of it."""
        return data

    async def send_all(self, data: bytes | memoryview) -> None:
        """Never either."""
        raise NotImplementedError

    def close(self) -> None:
        """Note that it was closed."""
        self.closed = True


def given(pool: Pool, origin: Origin = HERE) -> FakeWire:
    """Give the pool one idle connection."""
    wire = FakeWire()
    connection = Connection(origin, wire)
    pool.adopt(connection)
    pool.give(connection)
    return wire


def taken(pool: Pool, origin: Origin = HERE) -> object:
    """Take a connection and say which wire it has."""
    connection = pool.take(origin)
    return None if connection is None else connection.wire


@pytest.fixture
def pool() -> Pool:
    """A pool of at most three idle connections, each for ten seconds."""
    return Pool(max_idle=3, expiry=10)


async def test_the_last_one_given_is_the_first_one_taken(pool: Pool) -> None:
    """Newest first: old ones may expire."""
    old, new = given(pool), given(pool)

    assert [taken(pool), taken(pool), taken(pool)] == [new, old, None]


async def test_origins_do_not_mix(pool: Pool) -> None:
    """A connection leads where it leads."""
    here = given(pool, HERE)

    assert taken(pool, THERE) is None
    assert taken(pool, HERE) is here


async def test_a_stale_connection_is_closed_and_the_next_one_taken(pool: Pool) -> None:
    """The server has closed it while nobody looked."""
    old, new = given(pool), given(pool)
    new.stale = True

    assert taken(pool) is old
    assert (old.closed, new.closed) == (False, True)
    assert pool.statistics == Statistics(idle=0, in_use=1)


async def test_expired_connections_are_closed_when_one_is_taken(pool: Pool, mock_clock: MockClock) -> None:
    """Ten seconds and a bit are too long."""
    wires = [given(pool), given(pool)]
    mock_clock.jump(10.5)

    assert taken(pool) is None
    assert [wire.closed for wire in wires] == [True, True]
    assert pool.statistics.open == 0


async def test_expired_connections_are_closed_when_one_is_given(pool: Pool, mock_clock: MockClock) -> None:
    """A busy top of the stack does not keep what lies below it for ever."""
    old = given(pool)
    mock_clock.jump(10.5)
    new = given(pool)

    assert (old.closed, new.closed) == (True, False)
    assert pool.statistics == Statistics(idle=1, in_use=0)


async def test_being_used_again_begins_the_time_again(pool: Pool, mock_clock: MockClock) -> None:
    """Expiry counts from the last use."""
    wire = given(pool)
    for _ in range(3):
        mock_clock.jump(8)
        connection = pool.take(HERE)
        assert connection is not None
        pool.give(connection)

    assert taken(pool) is wire


async def test_beyond_the_limit_the_oldest_goes(pool: Pool) -> None:
    """At most three are idle."""
    wires = [given(pool) for _ in range(5)]

    assert [wire.closed for wire in wires] == [True, True, False, False, False]
    assert pool.statistics == Statistics(idle=3, in_use=0)


async def test_the_limit_holds_over_all_origins(pool: Pool) -> None:
    """The fourth is not kept even where it is the only one."""
    for _ in range(3):
        given(pool, HERE)
    there = given(pool, THERE)

    assert there.closed
    assert taken(pool, THERE) is None
    assert pool.statistics == Statistics(idle=3, in_use=0)


async def test_what_was_dropped_does_not_come_back(pool: Pool) -> None:
    """Giving after dropping would hand a closed connection to the next request."""
    wire = FakeWire()
    connection = Connection(HERE, wire)
    pool.adopt(connection)
    pool.drop(connection)
    pool.give(connection)

    assert wire.closed
    assert taken(pool) is None


async def test_closing_closes_everything(pool: Pool) -> None:
    """Idle, in use, and what is made while the pool closes."""
    idle, used, late = given(pool), FakeWire(), FakeWire()
    connection = Connection(HERE, used)
    pool.adopt(connection)
    pool.close()
    pool.give(connection)
    with pytest.raises(trio.ClosedResourceError):
        pool.adopt(Connection(HERE, late))

    assert (idle.closed, used.closed, late.closed) == (True, True, True)
    assert pool.statistics.open == 0


async def test_taking_looks_only_at_what_it_takes() -> None:
    """A thousand idle connections cost no more than one: only the newest is asked whether it is stale."""
    asked: list[object] = []

    class Counting(FakeWire):
        def __getattribute__(self, name: str) -> object:
            if name == "stale":
                asked.append(self)
            return super().__getattribute__(name)

    pool = Pool(max_idle=1000, expiry=10)
    connections = [Connection(HERE, Counting()) for _ in range(1000)]
    for connection in connections:
        pool.adopt(connection)
    for connection in connections:
        pool.give(connection)

    assert pool.take(HERE) is connections[-1]
    assert asked == [connections[-1].wire]


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("http://Example.com/a", ("http", "example.com", 80)),
        ("https://example.com", ("https", "example.com", 443)),
        ("https://example.com:8443/", ("https", "example.com", 8443)),
        ("http://[::1]:80/", ("http", "::1", 80)),
        ("https://bücher.example/", ("https", "xn--bcher-kva.example", 443)),
    ],
)
def test_the_origin_of_a_url(url: str, origin: tuple[str, str, int]) -> None:
    """Default ports are filled in, names are ASCII."""
    assert Origin.of(httpx.URL(url)) == origin


@pytest.mark.parametrize("url", ["ftp://example.com", "/relative", "http:///path"])
def test_a_url_without_an_origin_of_ours(url: str) -> None:
    """Only http and https, and a host."""
    with pytest.raises(httpx.UnsupportedProtocol):
        Origin.of(httpx.URL(url))


async def test_idle_connections_are_closed_by_time(autojump_clock: MockClock) -> None:
    """Each when its own time has come, also where nobody asks for a connection any more."""
    pool = Pool(max_idle=10, expiry=30)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(pool.close_idle)
        await trio.sleep(10)
        first = given(pool)
        await trio.sleep(10)
        second = given(pool, THERE)
        await trio.sleep(19)
        assert (first.closed, second.closed) == (False, False)
        await trio.sleep(2)
        assert (first.closed, second.closed) == (True, False)
        await trio.sleep(10)
        assert second.closed
        nursery.cancel_scope.cancel()

    assert pool.statistics == Statistics(idle=0, in_use=0)
    assert autojump_clock.current_time() == pytest.approx(51)
