"""Why a connection to the upstream could not be made: one word for the log, a few for a person.

What a system says about it hides behind two or three exceptions; the first of the chain that has a row here counts.
Sources of the codes: OpenSSL's X509_V_ERR_* (x509_vfy.h), errno(3).
"""

from __future__ import annotations

import errno
import socket
import ssl
from collections.abc import Iterator, Mapping

import attrs
import trio

_CHAIN = 32
# Exceptions looked at; a chain is short, and may go round.


@attrs.frozen
class Cause:
    """A class of causes.

    Attributes:
        word: for logs.
        sentence: what follows "The upstream cannot be reached: ".
        lasting: whether trying again at once is of no use.
    """

    word: str
    sentence: str
    lasting: bool = False


_CERTIFICATE = Cause("tls certificate", "its certificate cannot be verified", lasting=True)
_ISSUER = Cause("tls issuer", "its certificate comes from nobody who is trusted here", lasting=True)
_NAME = Cause("tls name", "its certificate is for another name", lasting=True)
_CERTIFICATES: Mapping[int, Cause] = {
    9: Cause("tls not yet valid", "its certificate is not valid yet, or this machine's clock is wrong", lasting=True),
    10: Cause("tls expired", "its certificate has expired", lasting=True),
    18: _ISSUER,
    19: _ISSUER,
    20: _ISSUER,
    21: _ISSUER,
    62: _NAME,
    64: _NAME,
}
# By OpenSSL's code of a failed verification.

_TLS = Cause("tls", "there is no common TLS with it; does it speak HTTPS on this port?", lasting=True)
_UNREACHABLE = Cause("unreachable", "there is no way to its network")
_NUMBERS: Mapping[int, Cause] = {
    errno.ECONNREFUSED: Cause("refused", "nobody listens there"),
    errno.ECONNRESET: Cause("reset", "it closed the connection while it was being made"),
    errno.EHOSTUNREACH: _UNREACHABLE,
    errno.ENETUNREACH: _UNREACHABLE,
    errno.EMFILE: Cause("descriptors", "this process has too many files open"),
}
# By the system's number.

_DNS = Cause("dns", "its name is not known")
_TIMEOUT = Cause("timeout", "it did not answer in time")


def cause_of(error: BaseException) -> Cause | None:
    """Find out why a connection failed; None when nothing in the chain says it."""
    found = (_classify(each) for _, each in zip(range(_CHAIN), _chain(error), strict=False))
    return next((cause for cause in found if cause is not None), None)


def _chain(error: BaseException) -> Iterator[BaseException]:
    """Yield an exception and whatever it came of, nearest first."""
    waiting = [error]
    while waiting:
        each = waiting.pop(0)
        yield each
        waiting += each.exceptions if isinstance(each, BaseExceptionGroup) else []
        waiting += [before for before in (each.__cause__ or each.__context__,) if before is not None]


def _classify(error: BaseException) -> Cause | None:
    if isinstance(error, ssl.SSLCertVerificationError):
        return _CERTIFICATES.get(error.verify_code, _CERTIFICATE)
    if isinstance(error, ssl.SSLError):
        return _TLS
    if isinstance(error, socket.gaierror):
        return _DNS
    if isinstance(error, trio.TooSlowError | TimeoutError):
        return _TIMEOUT
    return _NUMBERS.get(error.errno or 0) if isinstance(error, OSError) else None
