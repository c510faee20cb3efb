"""Who asks, where clients have keys of their own: nobody sees, uses or deletes another one's files and batches.

What belongs to somebody carries a *mark*, a keyed hash of his name, or of his key where that has none, in its name or
metadata upstream; so a key with a name can be replaced.  The id that a client gets of a file carries a *seal* besides:
a keyed hash of mark and id, so that a message may name the file and nobody has to ask the upstream whose it is.  Both
are keyed with what clients do not know: `storage.owner_secret`, or else the upstream's key; when that is replaced
without the former, whatever was marked before is nobody's any more.  Without client keys there is one owner, and
neither mark nor seal.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable

import attrs

from pipeline.settings import Settings
from pipeline.settings.client_keys import ClientKey
from stages.tables.identifiers import FILE_SEAL
from stages.tables.stored_files import MARK_LENGTH


@attrs.frozen(repr=False)
class Owner:
    """One client, by its key.

    Attributes:
        mark: what its things carry; empty where all belongs to one.
    """

    mark: str
    _secret: bytes

    @classmethod
    def of(cls, settings: Settings, key: ClientKey | None) -> Owner:
        """Return who asks with a key that was let in; None is who asks where nobody has one."""
        secret = _secret(settings)
        return cls("" if key is None else _mark(key, secret), secret)

    @classmethod
    def marked(cls, settings: Settings, mark: str) -> Owner:
        """The owner of a thing that carries a mark."""
        return cls(mark, _secret(settings))

    def key(self, keys: Iterable[ClientKey]) -> ClientKey | None:
        """Find the key that it is the owner by; None where there is none, or no more."""
        return next((key for key in keys if _mark(key, self._secret) == self.mark), None) if self.mark else None

    def sealed(self, ident: str) -> str:
        """Put the seal to an id; `opened` takes it off."""
        return f"{ident}_{self._seal(ident)}" if self.mark else ident

    def opened(self, ident: str) -> str | None:
        """Take the seal off an id that was made for this owner; None for any other."""
        if not self.mark:
            return ident
        found = FILE_SEAL.search(ident)
        plain = FILE_SEAL.sub("", ident)
        return plain if found and hmac.compare_digest(found[1], self._seal(plain)) else None

    def _seal(self, ident: str) -> str:
        text = f"{self.mark} {ident}".encode("utf-8", "surrogatepass")
        return hmac.new(self._secret, text, "sha256").hexdigest()[:MARK_LENGTH]


def _mark(key: ClientKey, secret: bytes) -> str:
    who = b"name" + key.name.encode() if key.named else b"mark" + key.digest
    return hmac.digest(secret, who, "sha256").hex()[:MARK_LENGTH]


def _secret(settings: Settings) -> bytes:
    """What no client knows: the secret that was set, the upstream's key or whatever prints it, or all clients' keys."""
    if (chosen := settings.storage.owner_secret) is not None:
        return hashlib.sha256(f"owners\n{chosen.reveal()}".encode()).digest()
    upstream = settings.upstream
    told = upstream.api_key.reveal() if upstream.api_key else upstream.key_command
    digests = b"" if told else b"".join(sorted(key.digest for key in settings.client_keys))
    return hashlib.sha256(f"{upstream.url}\n{told}\n".encode() + digests).digest()
