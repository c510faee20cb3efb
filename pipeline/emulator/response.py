"""The response object: the request's settings echoed, and what came of it.

Field order and defaults as recorded between July and September 2026 (the newest recordings there are).
"""

from __future__ import annotations

import re
from typing import Any

from attrs import field, frozen

from pipeline.emulator.ids import AnswerIds
from pipeline.emulator.loop import effort
from pipeline.emulator.scenario import ScenarioEnding

_WITHOUT_PHASE = re.compile(r"gpt-[34]|o\d|gpt-5(?:-|$|\.[12])")
_WRITES_CACHE = re.compile(r"gpt-(?:5\.[6-9]|[6-9])")
_ECHOED: dict[str, Any] = {
    "instructions": None,
    "max_output_tokens": None,
    "max_tool_calls": None,
    "parallel_tool_calls": True,
    "previous_response_id": None,
    "prompt_cache_key": None,
    "prompt_cache_retention": "24h",
    "safety_identifier": None,
    "store": True,
    "temperature": 1.0,
    "tool_choice": "auto",
    "top_logprobs": 0,
    "top_p": 0.98,
    "truncation": "disabled",
    "user": None,
    "metadata": {},
    "background": False,
}
_TIERS: dict[Any, str] = {"auto": "default", "fast": "priority", None: "default"}
_SUMMARIES: dict[Any, str] = {"auto": "detailed"}
_NO_IMAGES = {
    "input_tokens": 0,
    "input_tokens_details": {"image_tokens": 0, "text_tokens": 0},
    "output_tokens": 0,
    "output_tokens_details": {"image_tokens": 0, "text_tokens": 0},
    "total_tokens": 0,
}


@frozen
class EmulatedUsage:
    """Tokens of one response; `cached` and `written` are parts of `input`, `reasoning` is a part of `output`."""

    input: int
    cached: int
    written: int
    output: int
    reasoning: int

    @property
    def wire(self) -> dict[str, Any]:
        """The `usage` object."""
        return {
            "input_tokens": self.input,
            "input_tokens_details": {"cache_write_tokens": self.written, "cached_tokens": self.cached},
            "output_tokens": self.output,
            "output_tokens_details": {"reasoning_tokens": self.reasoning},
            "total_tokens": self.input + self.output,
        }


def has_phase(model: str) -> bool:
    """Tell whether a model marks its messages as commentary or final answer (gpt-5.3-codex and later)."""
    return _WITHOUT_PHASE.match(model) is None


def writes_cache(model: str) -> bool:
    """Tell whether a model counts the tokens it writes to the cache (gpt-5.6 and later)."""
    return _WRITES_CACHE.match(model) is not None


@frozen
class ResponseObject:
    """The response object of one request, at its beginning and at its end."""

    request: dict[str, Any] = field(repr=False)
    ids: AnswerIds = field(repr=False)

    def begun(self) -> dict[str, Any]:
        """Give the object as `response.created` and `response.in_progress` carry it."""
        return self._object("in_progress", service_tier=self.request.get("service_tier") or "auto")

    def ended(self, ending: ScenarioEnding, output: list[dict[str, Any]], usage: EmulatedUsage) -> dict[str, Any]:
        """Give the object as the last event carries it; a failed one has neither output nor usage."""
        tier = self.request.get("service_tier")
        failed = ending.status == "failed"
        return self._object(
            ending.status,
            completed_at=self.ids.created_at + 1 if ending.status == "completed" else None,
            error={"code": ending.code, "message": ending.message} if failed else None,
            incomplete_details={"reason": ending.reason} if ending.reason else None,
            output=[] if failed else output,
            service_tier=_TIERS.get(tier, tier),
            usage=None if failed else usage.wire,
            tool_usage=_tool_usage(sum(item["type"] == "web_search_call" for item in output)),
        )

    def _object(self, status: str, **said: Any) -> dict[str, Any]:
        whole = {
            **_head(self.ids, status),
            "model": self.request["model"],
            "output": [],
            "usage": None,
            **{
                name: default if self.request.get(name) is None else self.request[name]
                for name, default in _ECHOED.items()
            },
            "reasoning": self._reasoning(),
            "text": self._text(),
            "tools": [_tool(tool) for tool in self.request.get("tools") or []],
            "tool_usage": _tool_usage(0),
            **said,
        }
        fixed = ("id", "object", "created_at", "status")
        last = ("usage", "user", "metadata")
        middle = sorted(whole.keys() - {*fixed, *last})
        return {name: whole[name] for name in (*fixed, *middle, *last)}

    def _reasoning(self) -> dict[str, Any]:
        asked = self.request.get("reasoning") or {}
        summary = asked.get("summary")
        return {
            "context": asked.get("context") or "all_turns",
            "effort": asked.get("effort") or effort(self.request),
            "mode": asked.get("mode") or "standard",
            "summary": _SUMMARIES.get(summary, summary),
        }

    def _text(self) -> dict[str, Any]:
        asked = self.request.get("text") or {}
        shape = asked.get("format") or {"type": "text"}
        if shape["type"] == "json_schema":
            shape = {"description": None, "strict": False, **shape}
        return {"format": shape, "verbosity": asked.get("verbosity") or "medium"}


def _head(ids: AnswerIds, status: str) -> dict[str, Any]:
    return {
        "id": ids.response,
        "object": "response",
        "created_at": ids.created_at,
        "status": status,
        "completed_at": None,
        "error": None,
        "frequency_penalty": 0.0,
        "incomplete_details": None,
        "moderation": None,
        "presence_penalty": 0.0,
    }


def _tool_usage(searches: int) -> dict[str, Any]:
    return {"image_gen": _NO_IMAGES, "web_search": {"num_requests": searches}}


def _tool(tool: dict[str, Any]) -> dict[str, Any]:
    """Echo a tool: a function sent without `strict` comes back strict, as all recorded ones did."""
    if tool.get("type") != "function":
        return tool
    strict = tool.get("strict")
    return {"description": None, "output_schema": None, "parameters": None, **tool, "strict": strict is None or strict}
