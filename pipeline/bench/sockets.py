"""Plain non-blocking sockets under trio: as little as possible between a measurement and the system."""

from __future__ import annotations

import os
import socket

import trio

RECEIVE_SIZE = 262_144
"""Bytes asked of a socket at once."""


async def receive(connected: socket.socket) -> bytes:
    """Wait for bytes, and return what is there; empty when the peer has closed. Cancelled, none were taken."""
    while True:
        await trio.lowlevel.wait_readable(connected)
        try:
            return connected.recv(RECEIVE_SIZE)
        except BlockingIOError:
            continue


async def send(connected: socket.socket, data: bytes) -> None:
    """Send all, waiting for room where there is none; cancelled, a part may have been sent."""
    rest = memoryview(data)
    while rest:
        try:
            rest = rest[connected.send(rest) :]
        except BlockingIOError:
            await trio.lowlevel.wait_writable(connected)


async def connect(host: str, port: int) -> socket.socket:
    """Connect to a server on this machine, without the delay that joins small writes.

    Waits for the server to accept; cancelled or refused, the socket is closed.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    connected = socket.socket(family, socket.SOCK_STREAM)
    connected.settimeout(0)  # not to block
    connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    try:
        await _establish(connected, host, port)
    except BaseException:
        connected.close()
        raise
    return connected


async def _establish(connected: socket.socket, host: str, port: int) -> None:
    """Wait until a socket is connected.

    Raises:
        OSError: it was refused.
    """
    try:
        connected.connect((host, port))
    except BlockingIOError:
        await trio.lowlevel.wait_writable(connected)
    if error := connected.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
        raise OSError(error, os.strerror(error))
