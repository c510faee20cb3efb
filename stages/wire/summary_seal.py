"""The seal of a summary: what the `signature` of a compaction block says, so that a changed summary is noticed.

It is no secret, and keeps nobody from writing a summary of their own: a client may say anything in a conversation.  It
keeps a client from sending back, by mistake, another text than the one that was told.
"""

from __future__ import annotations

import base64
import hashlib

SEAL_PREFIX = "dragoman-summary1."
"""Leads every seal of ours; a signature that starts otherwise is somebody else's."""


def seal(summary: str) -> str:
    """Write the signature of a summary: ASCII, without line breaks."""
    digest = hashlib.sha256(summary.encode("utf-8", "surrogatepass")).digest()
    return SEAL_PREFIX + base64.urlsafe_b64encode(digest).decode("ascii")


def is_seal(signature: str) -> bool:
    """Whether a signature that begins as ours do can be one."""
    return len(signature) == len(seal("")) and signature.isascii()
