"""The two headers of a mapping: who asks, and what became of the request."""

from __future__ import annotations

from pipeline.endpoints.exchange import Exchange
from stages.canonical.request import Caller

MAPPING = b"dragoman-mapping"
"""The header that says what was not simply translated: `fate=field,field;fate=field`."""


def caller_of(exchange: Exchange) -> Caller:
    """Read who asks from the headers."""
    betas = exchange.headers.get("anthropic-beta", "").split(",")
    return Caller(
        session=exchange.headers.get("x-claude-code-session-id", ""),
        agent=exchange.headers.get("x-claude-code-agent-id", ""),
        betas=tuple(beta.strip() for beta in betas if beta.strip()),
        version=exchange.headers.get("anthropic-version", ""),
    )


def say_mapping(exchange: Exchange, summary: str) -> None:
    """Put the mapping header on the answer, instead of one that was there."""
    kept = [header for header in exchange.answer_headers if header[0] != MAPPING]
    exchange.answer_headers = [*kept, (MAPPING, summary.encode("ascii", "replace"))]
