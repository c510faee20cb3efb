"""The carrier: how a reasoning item travels through a client inside a thinking block's `signature`.

Clients echo signatures byte for byte (300 kB and odd characters were measured), so everything that the upstream needs
to take its reasoning back, and the client has no field for, rides in there.  A carrier is no secret, but it is never
logged.
"""

from __future__ import annotations

import base64
import binascii
from typing import Any

import attrs

from stages.wire import json

CARRIER_PREFIX = "dragoman1."
"""Leads every carrier of this layout; a signature that starts otherwise is somebody else's."""


@attrs.frozen(repr=False)
class Carrier:
    """One reasoning item as it must go back, and what it is bound to.

    Attributes:
        id: the upstream's id of the item (`rs_...`).
        encrypted_content: the item's sealed reasoning, from `output_item.done`; empty when the upstream sent none.
        summary: lengths, in characters, of the summary parts that the thinking text is made of.
        texts: the summary parts themselves, where the client was not shown them; else empty.
        raw: True when the thinking text is the reasoning itself (`content`), not a summary of it.
        phase: the `phase` of the message that followed; empty when it had none.
        model: the upstream model that reasoned.
        account: fingerprint of the upstream account; sealed reasoning opens nowhere else.
    """

    id: str
    encrypted_content: str = ""
    summary: tuple[int, ...] = ()
    texts: tuple[str, ...] = ()
    raw: bool = False
    phase: str = ""
    model: str = ""
    account: str = ""


def encode(carrier: Carrier) -> str:
    """Write a carrier as a signature: ASCII, without line breaks."""
    fields = {name: value for name, value in attrs.asdict(carrier).items() if value or name == "id"}
    return CARRIER_PREFIX + base64.urlsafe_b64encode(json.encode(fields)).decode("ascii")


def decode(signature: str) -> Carrier | None:
    """Read a signature; None when it is not one of ours, or was damaged on its way."""
    if not signature.startswith(CARRIER_PREFIX):
        return None
    try:
        fields = json.decode(base64.urlsafe_b64decode(signature[len(CARRIER_PREFIX) :].encode("ascii")))
        return _build(fields)
    except (binascii.Error, UnicodeEncodeError, json.MalformedJson, TypeError, ValueError, OverflowError):
        return None


def _build(fields: dict[str, Any]) -> Carrier:
    carrier = Carrier(
        **{
            **fields,
            "summary": tuple(int(n) for n in fields.get("summary", ())),
            "texts": tuple(str(text) for text in fields.get("texts", ())),
        }
    )
    if not all(isinstance(text, str) for text in (carrier.id, carrier.encrypted_content, carrier.phase)):
        raise TypeError("a carrier's texts must be strings")
    return carrier


SEPARATOR = "\n\n"
"""What stands between the summary parts in the thinking text."""


def split_summary(thinking: str, lengths: tuple[int, ...]) -> tuple[str, ...]:
    """Take a thinking text apart into the summary parts it was joined from.

    A text that does not have the recorded lengths any more was edited, and comes back as one part.
    """
    parts: list[str] = []
    at = 0
    for length in lengths:
        parts.append(thinking[at : at + length])
        at += length + len(SEPARATOR)
    if SEPARATOR.join(parts) == thinking:
        return tuple(parts)
    return (thinking,) if thinking else ()
