"""LangChain's standard tests for chat models, with its Anthropic client.

What an upstream without a model or without a network cannot show is left out by name; `docs/suites.md` argues each.
"""

from __future__ import annotations

from typing import Any

import pytest
from conftest import NETWORK
from langchain_anthropic import ChatAnthropic
from langchain_tests.integration_tests import ChatModelIntegrationTests

MODEL = "claude-haiku-4-5"
"""A name for which LangChain forces the call that it reads structured answers from."""


class TestChatAnthropic(ChatModelIntegrationTests):
    """All that the client declares; pictures and files are fetched by the tests, so they need a network."""

    @pytest.fixture(autouse=True)
    def _address(self, base_url: str) -> None:
        type(self).address = base_url

    @property
    def chat_model_class(self) -> type[ChatAnthropic]:
        """Name the client."""
        return ChatAnthropic

    @property
    def chat_model_params(self) -> dict[str, Any]:
        """Say where it goes."""
        return {"model": MODEL, "base_url": self.address, "api_key": "any", "max_tokens": 1000}

    @property
    def supports_image_inputs(self) -> bool:
        """Whether prompts may hold pictures."""
        return NETWORK

    @property
    def supports_pdf_inputs(self) -> bool:
        """Whether prompts may hold files."""
        return NETWORK

    @property
    def supports_image_tool_message(self) -> bool:
        """Whether results of tools may hold pictures."""
        return NETWORK

    @property
    def supports_pdf_tool_message(self) -> bool:
        """Whether they may hold files."""
        return NETWORK

    @property
    def supports_anthropic_inputs(self) -> bool:
        """Whether a conversation may be in Anthropic's own blocks."""
        return NETWORK

    @property
    def model_override_value(self) -> str:
        """Name another model for one call."""
        return "claude-opus-5-5"
