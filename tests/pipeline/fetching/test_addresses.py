"""Only the public internet is asked, whatever a name leads to."""

from __future__ import annotations

import socket
from typing import Any

import pytest
import trio
import trio.testing

from pipeline.fetching.addresses import PrivateAddressError, dial_public, is_public


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("93.184.216.34", True),
        ("2606:2800:220:1::1", True),
        ("127.0.0.1", False),
        ("10.1.2.3", False),
        ("172.16.0.1", False),
        ("192.168.0.1", False),
        ("169.254.169.254", False),
        ("100.64.0.1", False),
        ("0.0.0.0", False),
        ("224.0.0.1", False),
        ("255.255.255.255", False),
        ("192.0.2.1", False),
        ("::1", False),
        ("::", False),
        ("fe80::1", False),
        ("fe80::1%eth0", False),
        ("fd00::1", False),
        ("ff02::1", False),
        ("::ffff:127.0.0.1", False),
        ("::ffff:93.184.216.34", False),
        ("64:ff9b::7f00:1", False),
        ("2002:7f00:1::", False),
        ("2001:0:1::1", False),
        ("2001:db8::1", False),
        ("not an address", False),
    ],
)
def test_who_is_public(address: str, public: bool) -> None:
    """Nothing local, mapped, translated, tunnelled, reserved or for examples."""
    assert is_public(address) is public


class Names(trio.abc.HostnameResolver):
    """Knows some names."""

    def __init__(self, *addresses: str) -> None:
        self.addresses = addresses

    async def getaddrinfo(self, host: Any, port: Any, *_: Any, **__: Any) -> Any:  # noqa: ARG002 - any name
        """Say what any name leads to."""
        await trio.lowlevel.checkpoint()
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in self.addresses]

    async def getnameinfo(self, sockaddr: Any, flags: int) -> Any:
        """Never asked."""
        raise NotImplementedError


@pytest.mark.parametrize(
    "addresses", [("127.0.0.1",), ("93.184.216.34", "10.0.0.1"), ("169.254.169.254", "93.184.216.34")]
)
async def test_one_private_address_is_enough(addresses: tuple[str, ...]) -> None:
    """Nobody is asked then: the second look-up of a name that changes its mind would find the other one."""
    trio.socket.set_custom_hostname_resolver(Names(*addresses))

    with pytest.raises(PrivateAddressError):
        await dial_public("rebinding.example", 80)


@pytest.mark.parametrize(
    "host", ["localhost", "127.1", "2130706433", "0x7f.1", "::1", "[::1]", "a" * 64 + ".example", "a..b"]
)
async def test_this_machine_by_all_its_names(host: str) -> None:
    """As a system reads addresses: shortened, as one number, in hexadecimal."""
    with pytest.raises(OSError):  # noqa: PT011 - some are no names at all
        await dial_public(host, 9)
