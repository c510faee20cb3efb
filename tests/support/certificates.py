"""Certificates for servers of a test, from an authority that nobody else trusts."""

from __future__ import annotations

import ssl
from pathlib import Path

import attrs
import trustme


@attrs.frozen
class Certified:
    """A certificate in files, and whoever trusts it.

    Attributes:
        authority: who has issued it.
        files: the settings that name it.
    """

    authority: trustme.CA
    files: dict[str, str]

    def client_context(self, *protocols: str) -> ssl.SSLContext:
        """Make what a client of the server needs."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # without the system's own roots, which take long to read
        self.authority.configure_trust(context)
        if protocols:
            context.set_alpn_protocols(list(protocols))
        return context


def certified(folder: Path) -> Certified:
    """Issue a certificate for localhost into a folder."""
    authority = trustme.CA()
    issued = authority.issue_cert("localhost", "127.0.0.1")
    issued.cert_chain_pems[0].write_to_path(str(folder / "cert.pem"))
    issued.private_key_pem.write_to_path(str(folder / "key.pem"))
    return Certified(authority, {"certfile": str(folder / "cert.pem"), "keyfile": str(folder / "key.pem")})
