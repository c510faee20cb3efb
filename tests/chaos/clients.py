"""Clients, by what they do to the server: they read, they leave, they are deaf, they close one side."""

from __future__ import annotations

import random
import socket
from collections.abc import Awaitable, Callable
from functools import partial

import trio

from pipeline.bench import sockets
from pipeline.server.client_socket import reset_on_close
from tests.chaos.judge import Judge
from tests.chaos.plans import Plan

Client = Callable[[int, Plan], Awaitable[str]]
"""Asks the server on a port for what a plan says, and returns what became of it."""

UNREAD = 4096
"""Bytes that the system keeps for a client that does not read."""


async def _read(connected: socket.socket, judge: Judge) -> str:
    """Read to the end of the answer or of the connection."""
    while not judge.complete and not judge.wrong:
        try:
            data = await sockets.receive(connected)
        except OSError:
            break
        if not data:
            break
        judge.feed(data)
    return judge.outcome()


async def reads(port: int, plan: Plan, *, stream: bool = True) -> str:
    """Ask, and read all."""
    with await sockets.connect("127.0.0.1", port) as connected:
        await sockets.send(connected, plan.request(stream=stream))
        return await _read(connected, Judge(plan, stream=stream))


async def _dribbles(port: int, plan: Plan) -> str:
    """Send the request in small pieces, then read all."""
    request = plan.request()
    with await sockets.connect("127.0.0.1", port) as connected:
        for at in range(0, len(request), 40):
            await sockets.send(connected, request[at : at + 40])
            await trio.sleep(0.002)
        return await _read(connected, Judge(plan))


async def _leaves(port: int, plan: Plan, *, reset: bool) -> str:
    """Leave after a part of the answer, or of the request."""
    chance = random.Random(f"{plan.seed} leaves")
    request = plan.request()
    with await sockets.connect("127.0.0.1", port) as connected:
        if chance.random() < 0.2:
            await sockets.send(connected, request[: chance.randrange(len(request))])
        else:
            await sockets.send(connected, request)
            with trio.move_on_after(chance.random() / 4):
                while await sockets.receive(connected):
                    pass
        if reset:
            reset_on_close(connected)
    return "left"


async def _half_closes(port: int, plan: Plan) -> str:
    """Say that nothing more will come, then read all."""
    with await sockets.connect("127.0.0.1", port) as connected:
        await sockets.send(connected, plan.request())
        connected.shutdown(socket.SHUT_WR)
        return await _read(connected, Judge(plan))


async def _deaf(port: int, plan: Plan) -> str:
    """Read nothing until the server gives up; then what is there."""
    with await sockets.connect("127.0.0.1", port) as connected:
        connected.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, UNREAD)
        await sockets.send(connected, plan.request())
        await trio.sleep(DEAF)
        return await _read(connected, Judge(plan))


async def _slow(port: int, plan: Plan) -> str:
    """Read in small pieces with pauses."""
    judge = Judge(plan)
    with await sockets.connect("127.0.0.1", port) as connected:
        await sockets.send(connected, plan.request())
        for _ in range(100):
            await trio.lowlevel.wait_readable(connected)
            try:
                data = connected.recv(512)
            except OSError:
                data = b""
            if not data:
                break
            judge.feed(data)
            if judge.complete:
                break
            await trio.sleep(0.005)
        return judge.outcome() if judge.complete else await _read(connected, judge)


DEAF = 3.0
"""Seconds for which a deaf client reads nothing: more than a run's server waits for one."""

CLIENTS: dict[str, Client] = {
    "reads": reads,
    "asks for no stream": partial(reads, stream=False),
    "sends in pieces": _dribbles,
    "reads slowly": _slow,
    "leaves": partial(_leaves, reset=False),
    "resets": partial(_leaves, reset=True),
    "closes its side": _half_closes,
    "is deaf for a while": _deaf,
}
"""What clients do, by a name for the report."""
