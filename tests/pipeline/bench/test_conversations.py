"""The bench's request bodies."""

from __future__ import annotations

import pytest

from pipeline.bench.conversations import BENCH_TOOLS, conversation
from stages.canonical.request import Request
from stages.decoder import decode_request


@pytest.mark.parametrize("size", [20_000, 150_000, 1_000_000])
def test_a_conversation_is_a_valid_request_of_its_size(size: int) -> None:
    """The decoder takes it, all tools are declared, and it is as large as was asked, give or take a turn."""
    body = conversation(size)

    request = decode_request(body)
    assert isinstance(request, Request)
    assert request.stream
    assert len(request.tools) == len(BENCH_TOOLS) == 25
    assert size <= len(body) <= size * 1.1


def test_equal_arguments_make_equal_bytes() -> None:
    """Rounds, and servers, are compared on the same work."""
    assert conversation(30_000) == conversation(30_000)


def test_a_conversation_that_is_not_streamed() -> None:
    """Differs in the one field."""
    assert conversation(20_000, stream=False) == conversation(20_000).replace(b'"stream":true', b'"stream":false')
