"""Base URLs as they are pasted, and as they were meant."""

from __future__ import annotations

from pipeline.upstream.address import base_url
from tests.support.cases import cases


@cases(
    ("url", "meant"),
    [
        ("https://api.openai.com/v1", "https://api.openai.com/v1"),
        ("https://api.openai.com", "https://api.openai.com/v1"),
        ("https://api.openai.com/v1/responses", "https://api.openai.com/v1"),
        ("https://api.openai.com/v1/responses/", "https://api.openai.com/v1"),
        ("https://api.openai.com/v1/chat/completions", "https://api.openai.com/v1"),
        ("https://api.openai.com/responses", "https://api.openai.com/v1"),
        ("https://api.openai.com//v1//", "https://api.openai.com/v1"),
        ("https://api.openai.com/v1/v1", "https://api.openai.com/v1"),
        ("https://x.openai.azure.com", "https://x.openai.azure.com/openai/v1"),
        ("https://x.openai.azure.com/openai/v1/responses", "https://x.openai.azure.com/openai/v1"),
        ("https://x.openai.azure.com/openai", "https://x.openai.azure.com/openai"),
        (
            "https://bedrock-runtime.us-east-1.amazonaws.com",
            "https://bedrock-runtime.us-east-1.amazonaws.com/openai/v1",
        ),
        ("https://bedrock-mantle.us-east-1.api.aws/v1", "https://bedrock-mantle.us-east-1.api.aws/v1"),
        ("https://openrouter.ai", "https://openrouter.ai/api/v1"),
        ("https://openrouter.ai/api", "https://openrouter.ai/api/v1"),
        ("https://openrouter.ai/api/v1/chat/completions", "https://openrouter.ai/api/v1"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080/v1"),
        ("http://[::1]:8080/v1/", "http://[::1]:8080/v1"),
        ("http://gateway/team/llm", "http://gateway/team/llm"),
        ("http://gateway/team/llm/v1/models", "http://gateway/team/llm/v1"),
        ("emulator", "http://emulator/v1"),
    ],
)
def test_slips_are_mended(url: str, meant: str) -> None:
    """The route of a single request goes, a path that is missing comes, and what may be right stays."""
    assert base_url(url) == meant
    assert url == "emulator" or base_url(meant) == meant
