"""The judges that lie beside the recordings, written by another hand than ours, and how a test hears them."""

from __future__ import annotations

import importlib
import sys
from functools import cache
from types import ModuleType
from typing import Any

from tests.conftest import SHARED


@cache
def _judge(name: str) -> ModuleType:
    """Import one of the scripts; they import each other by plain names, so their folder must be on the path."""
    folder = str(SHARED / "tools")
    if folder not in sys.path:
        sys.path.append(folder)
    return importlib.import_module(name)


def judge_stream(raw: bytes, request: dict[str, Any] | None = None) -> tuple[list[str], dict[str, Any]]:
    """Check an Anthropic stream, strictly: findings of either level, and the message that it adds up to.

    The message is empty when the stream ended with an error.

    `usage-drift` is not heard: `message_start` carries an estimate of the prompt's tokens, because the upstream tells
    their number only at the end, in `message_delta`.
    """
    judge = _judge("check_stream")
    found, message = judge.check(raw, judge.Options(request=request))
    whole = message if message.get("stop_reason") is not None else {}
    return [str(finding) for finding in found if finding.rule != "usage-drift"], whole


def judge_body(body: Any, status: int) -> list[str]:
    """Check a JSON body of the Messages API that came with this status."""
    return list(_judge("check_body").check(body, status))


def judge_upstream_request(body: Any) -> list[str]:
    """Check a body of `POST /v1/responses`."""
    return [str(finding) for finding in _judge("check_request_openai").check(body)]
