"""Which addresses may be asked: those of the public internet, and no other.

A name is looked up once, all of its addresses must be public, and the connection is made to one of those.  So no name
leads to this machine, to the network around it or to a cloud's metadata, whatever it says at a second look.
"""

from __future__ import annotations

import ipaddress

import trio

from pipeline.upstream.http1.dialling import dial

_IPV6_UNICAST = ipaddress.ip_network("2000::/3")
# What of IPv6 is routed at all; mapped, translated and local addresses lie outside.


class PrivateAddressError(OSError):
    """A name that leads to what is not public; no word about where."""


def is_public(address: str) -> bool:
    """Whether an address is one of the public internet; False for what is none."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return False
    if ip.is_multicast or ip.is_reserved or not ip.is_global:
        return False
    if isinstance(ip, ipaddress.IPv4Address):
        return True
    return ip in _IPV6_UNICAST and ip.sixtofour is None and ip.teredo is None


async def dial_public(host: str, port: int) -> trio.SocketStream:
    """Connect to a host by its public addresses, in their order; waits for the look-up and for the connection.

    Raises:
        PrivateAddressError: One of its addresses is not public.
        OSError: It is not known, or nobody answers.
    """
    try:
        found = await trio.socket.getaddrinfo(host, port, type=trio.socket.SOCK_STREAM)
    except UnicodeError:  # a label that no name has
        raise OSError from None
    addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
    if not all(map(is_public, addresses)):
        raise PrivateAddressError
    failed: OSError | None = None
    for address in addresses[:MOST_ADDRESSES]:
        try:
            return await dial(address, port)
        except OSError as refused:
            failed = refused
    raise failed or OSError


MOST_ADDRESSES = 4
"""Addresses of one name that are tried."""
