"""Where the parts of a message come from: its ledger, or that behind the filters that the request asks for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Protocol

from stages.actor import Batch, Transducer
from stages.correlator.ledger import Ledger
from stages.correlator.pause import PAUSE
from stages.wire.responses_stream import StreamEvent

Filter = Transducer[Any, Any]
"""Lets the parts of a message pass, changes them, or ends the message early."""


class PartSource(Protocol):
    """Batches of upstream events in, parts of the message out."""

    @property
    def ended(self) -> bool:
        """Whether the upstream has said all it had to say."""
        ...

    def read(self, batch: Batch[StreamEvent]) -> Iterable[Any]:
        """Yield the parts of the message that follow from a batch."""
        ...

    def cut(self) -> Iterable[Any]:
        """Yield what the end of the stream leaves to say."""
        ...


def source_of(ledger: Ledger, filters: Sequence[Filter]) -> PartSource:
    """Put a ledger behind the filters, in this order; most requests ask for none, and pay for none."""
    return _FilteredLedger(ledger, filters) if filters else ledger


class _FilteredLedger:
    """A ledger, and what its parts pass on their way."""

    def __init__(self, ledger: Ledger, filters: Sequence[Filter]) -> None:
        self._ledger = ledger
        self._filters = filters

    @property
    def ended(self) -> bool:
        """Whether the ledger has seen the end of the message."""
        return self._ledger.ended

    def read(self, batch: Batch[StreamEvent]) -> Iterable[Any]:
        """Yield what a batch says and the filters let through."""
        return self._filtered(self._ledger.read(batch))

    def cut(self) -> Iterable[Any]:
        """Yield what the filters have held back as well, and that it is a failure."""
        return self._filtered(self._ledger.cut())

    def _filtered(self, parts: Iterable[Any]) -> Iterable[Any]:
        for stage in self._filters:
            parts = _through(stage, parts)
        return parts


def _through(stage: Filter, parts: Iterable[Any]) -> Iterator[Any]:
    for part in parts:
        if part is PAUSE:
            yield part
        else:
            yield from stage.feed(part)
