"""Upstream items and calls become content blocks: the bookkeeping, and the actor that owns the block nursery."""

from stages.correlator.actor import correlate
from stages.correlator.ledger import Ledger
from stages.correlator.pause import PAUSE
from stages.correlator.reader import MessageReader

__all__ = ["PAUSE", "Ledger", "MessageReader", "correlate"]
