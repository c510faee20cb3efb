"""Every mode of aimock's chaos, at its full rate, between the client and a fixture. `make engines`."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline.settings import Settings, UpstreamSettings
from tests.support.plain_client import ask, client, question
from tests.support.serving import serving

pytestmark = pytest.mark.engine

SAID = "Hello! How can I help you today? I am a deterministic mock."

MODES: list[tuple[dict[str, Any], int, str | None]] = [
    ({"dropRate": 1}, 500, "api_error"),
    ({"malformedRate": 1}, 500, "api_error"),
    ({"disconnectRate": 1}, 500, "api_error"),
    ({"rateLimitRate": 1}, 429, "rate_limit_error"),
    ({"latencyMs": 300}, 200, None),
]
"""What aimock is told to do, and what becomes of it here: the status, and the error's type."""


@pytest.mark.parametrize("stream", [True, False], ids=["streamed", "whole"])
@pytest.mark.parametrize(("mode", "status", "error"), MODES, ids=[next(iter(mode)) for mode, _, _ in MODES])
async def test_what_becomes_of_it(
    aimock: str, mode: dict[str, Any], status: int, error: str | None, *, stream: bool
) -> None:
    """An error of Anthropic's, with its status, or the whole text; afterwards all is as before."""
    settings = Settings(upstream=UpstreamSettings(url=f"{aimock}/v1", retries=0), log_level="error")
    async with client() as http, serving(settings) as url:
        (await http.post(f"{aimock}/__aimock/chaos", json=mode)).raise_for_status()
        try:
            answer = await ask(url, question("[[text]]"), stream=stream)
        finally:
            (await http.delete(f"{aimock}/__aimock/chaos")).raise_for_status()
        after = await ask(url, question("[[text]]"), stream=stream)

    assert (answer.status, (answer.error or {}).get("type")) == (status, error)
    assert answer.texts() == ([SAID] if error is None else [])
    assert status != 429 or answer.headers["retry-after"]
    assert after.texts() == [SAID]
