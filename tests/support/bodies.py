"""Whether a JSON body is one that Anthropic's API could have sent, by the types of its own client."""

from __future__ import annotations

from typing import Any

import anthropic.types.beta.messages as batches
from anthropic.types import beta
from pydantic import TypeAdapter

from stages.wire import json

_TYPES: dict[str, Any] = {
    "file": beta.BetaFileMetadata,
    "file_deleted": beta.BetaDeletedFile,
    "message": beta.BetaMessage,
    "message_batch": batches.BetaMessageBatch,
    "message_batch_deleted": batches.BetaDeletedMessageBatch,
}


def assert_anthropic(body: Any) -> None:
    """Check a file, a batch, a message, what was deleted, or a page of them."""
    if "data" in body:
        for one in body["data"]:
            assert_anthropic(one)
        assert ("has_more" in body) != ("next_page" in body)
        return
    model = TypeAdapter(_TYPES[body["type"]]).validate_json(json.encode(body), strict=True)
    assert not model.model_extra


def assert_result(line: Any) -> None:
    """Check one line of a batch's results."""
    model = TypeAdapter(batches.BetaMessageBatchIndividualResponse).validate_json(json.encode(line), strict=True)
    assert not model.model_extra
