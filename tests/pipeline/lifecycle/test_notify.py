"""What a service manager hears."""

from __future__ import annotations

import os
import secrets
import socket
import sys
from pathlib import Path

import pytest

from pipeline.lifecycle.notify import Notifier


@pytest.mark.parametrize(
    "abstract", [False, pytest.param(True, marks=pytest.mark.skipif(sys.platform != "linux", reason="Linux's"))]
)
def test_each_change_is_a_datagram(abstract: bool, tmp_path: Path) -> None:
    """Through a socket that has a path, and through one that has only a name."""
    name = f"@dragoman-{secrets.token_hex(8)}" if abstract else str(tmp_path / "s")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(name.replace("@", "\0") if abstract else name)
        manager.settimeout(0)
        notifier = Notifier.of({"NOTIFY_SOCKET": name})
        notifier.ready("serving")
        notifier.reloading()
        notifier.stopping()
        heard = [manager.recv(1000).decode().split("\n") for _ in range(3)]

    assert heard[0] == ["READY=1", f"MAINPID={os.getpid()}", "STATUS=serving"]
    assert heard[1][0] == "RELOADING=1"
    key, _, microseconds = heard[1][1].partition("=")
    assert (key, microseconds.isdigit()) == ("MONOTONIC_USEC", True)
    assert heard[2] == ["STOPPING=1"]


@pytest.mark.parametrize("name", ["", "/nowhere/at/all", "vsock:2:1234", "@" + "x" * 200])
def test_nobody_need_listen(name: str) -> None:
    """No manager, none any more, or one of a kind that we do not know: nothing happens."""
    Notifier.of({"NOTIFY_SOCKET": name}).ready()


def test_a_manager_that_does_not_read(tmp_path: Path) -> None:
    """What finds no room is lost, and nobody waits."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "s"))
        for _ in range(2000):
            Notifier(str(tmp_path / "s")).stopping()
