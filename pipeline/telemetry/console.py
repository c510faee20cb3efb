"""A request's line as a person reads it: one line of a terminal, with what is unusual behind."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from structlog.typing import EventDict, Processor, WrappedLogger

from pipeline.telemetry import names
from stages.canonical.report import FAITHFUL

_USUAL = frozenset(
    {
        *("event", "level", "timestamp", "outcome", "seconds", "request_id", "method", "route", "status", "blocks"),
        *("asked_model", "upstream_model", "stream", "unfaithful", "prefix", "stop_reason", "first_byte_seconds"),
        *("input_tokens", "cache_read_input_tokens", "cache_creation_input_tokens", "output_tokens", "left_out"),
        *("cost_usd", "cache_hit_rate", "kind", "upstream_request_id", "long_lived_tokens", "session"),
        "first_content_seconds",
    }
)
# Everything else is said behind the line, where it is there at all.

_AS_EVER = {"attempts": 1, "upstream_status": 200, "mapping": FAITHFUL}
# Said where it is anything else.

_THOUSAND = 1_000


def for_people(otherwise: Processor) -> Processor:
    """Make a renderer: a request's line in few words, and every other event as `otherwise` says it."""

    def render(logger: WrappedLogger, method: str, event: EventDict) -> Any:
        return request_line(event) if event.get("event") == names.REQUEST else otherwise(logger, method, event)

    return render


def request_line(fields: Mapping[str, Any]) -> str:
    """Write one request: time, model → model, how it ended, seconds, tokens, cost, id; unusual fields behind."""
    parts = [
        str(fields.get("timestamp", ""))[11:19],
        _what(fields),
        _ended(fields),
        f"{fields.get('seconds', 0):.1f} s",
        _tokens(fields),
        f"${fields['cost_usd']:.4f}" if "cost_usd" in fields else "",
        str(fields.get("request_id", "")),
        *(f"{name}={value}" for name, value in fields.items() if _is_worth_a_word(name, value)),
    ]
    return "  ".join(filter(None, parts))


def _is_worth_a_word(name: str, value: object) -> bool:
    return name not in _USUAL and value not in ("", None) and _AS_EVER.get(name) != value


def _what(fields: Mapping[str, Any]) -> str:
    asked, used = fields.get("asked_model"), fields.get("upstream_model")
    if used is None:
        return "  ".join(filter(None, (f"{fields.get('method', '')} {fields.get('route', '')}".strip(), asked)))
    return f"{asked} → {used}" if asked != used else str(used)


def _ended(fields: Mapping[str, Any]) -> str:
    outcome = fields.get("outcome", "")
    return str(outcome) if outcome == names.OK else f"{outcome} {fields.get('status', '')}".strip()


def _tokens(fields: Mapping[str, Any]) -> str:
    """The whole prompt, the part of it that was cached, and the answer."""
    if "output_tokens" not in fields:
        return ""
    cached = fields.get("cache_read_input_tokens", 0)
    prompt = fields.get("input_tokens", 0) + cached + fields.get("cache_creation_input_tokens", 0)
    share = f" ({100 * cached // prompt} % cached)" if prompt and cached else ""
    return f"{_short(prompt)}{share} + {_short(fields['output_tokens'])} tokens"


def _short(number: int) -> str:
    return str(number) if number < _THOUSAND else f"{number / _THOUSAND:.1f}k"
