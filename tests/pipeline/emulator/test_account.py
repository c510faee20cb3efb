"""Files and batches of the emulator, by OpenAI's own client: every call, every status, every mistake on cue."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx2
import openai
import pytest

from pipeline.emulator.emulator import Emulator
from stages.wire import json


def client(emulator: Emulator) -> openai.OpenAI:
    """OpenAI's client, with the emulator in place of the network."""

    def handle(request: httpx2.Request) -> httpx2.Response:
        target = request.url.raw_path.decode()
        told = emulator.respond(request.method, target, request.read(), request.headers.get("content-type", ""))
        return httpx2.Response(told.status, headers=dict(told.headers), content=told.data)

    transport = httpx2.MockTransport(handle)
    return openai.OpenAI(
        api_key="k", base_url="http://e/v1", max_retries=0, http_client=httpx2.Client(transport=transport)
    )


def lines(*prompts: str, **more: Any) -> bytes:
    """Write the input of a batch: one line for each prompt."""
    return b"".join(
        json.encode(
            {
                "custom_id": f"c{at}",
                "method": "POST",
                "url": "/v1/responses",
                "body": {"model": "gpt-5.4", "input": prompt, "metadata": {"at": str(at)}, **more},
            }
        )
        + b"\n"
        for at, prompt in enumerate(prompts)
    )


def batched(api: openai.OpenAI, data: bytes) -> openai.types.Batch:
    """Upload an input and begin its batch."""
    source = api.files.create(file=("in.jsonl", data), purpose="batch")
    return api.batches.create(input_file_id=source.id, endpoint="/v1/responses", completion_window="24h")


def statuses(api: openai.OpenAI, ident: str, looks: int = 6) -> list[str]:
    """Look at a batch so often that it has ended."""
    return [api.batches.retrieve(ident).status for _ in range(looks)]


def codes(api: openai.OpenAI, ident: str | None) -> dict[str, Any]:
    """What stands in an output or error file: the status or the error's code by custom id."""
    assert ident is not None
    values = map(json.decode, api.files.content(ident).content.splitlines())
    return {
        value["custom_id"]: value["response"]["status_code"] if value["response"] else value["error"]["code"]
        for value in values
    }


def test_the_life_of_a_file() -> None:
    """Uploaded, listed, retrieved, and deleted; its content does not come back."""
    api = client(Emulator())
    made = api.files.create(
        file=("a.txt", b"hello"), purpose="user_data", expires_after={"anchor": "created_at", "seconds": 3600}
    )

    assert (made.bytes, made.filename, made.expires_at) == (5, "a.txt", made.created_at + 3600)
    assert [kept.id for kept in api.files.list(purpose="user_data")] == [made.id]
    with pytest.raises(openai.BadRequestError, match="Not allowed to download"):
        api.files.content(made.id)
    assert api.files.delete(made.id).deleted
    with pytest.raises(openai.NotFoundError, match="No such File object"):
        api.files.retrieve(made.id)


def test_a_batch_completes() -> None:
    """It goes through its statuses, and each line is answered with its own metadata; a refused one is an error."""
    api = client(Emulator())
    made = batched(api, lines("hi", "[[error 429]]"))

    assert statuses(api, made.id) == ["validating", "in_progress", "finalizing", "completed", "completed", "completed"]
    done = api.batches.retrieve(made.id)
    assert codes(api, done.output_file_id) == {"c0": 200}
    assert codes(api, done.error_file_id) == {"c1": 429}
    body = json.decode(api.files.content(done.output_file_id or "").content)["response"]["body"]
    assert body["metadata"] == {"at": "0"}
    assert [kept.id for kept in api.batches.list()] == [made.id]


def expires(api: openai.OpenAI, ident: str) -> tuple[str, Any, Any]:
    """Let the batch go on to its end."""
    statuses(api, ident)
    done = api.batches.retrieve(ident)
    return done.status, done.output_file_id and codes(api, done.output_file_id), codes(api, done.error_file_id)


def cancels(api: openai.OpenAI, ident: str) -> tuple[str, Any, Any]:
    """Look at it often, cancel it, and let it end."""
    assert set(statuses(api, ident)[1:]) == {"in_progress"}
    assert api.batches.cancel(ident).status == "cancelling"
    return expires(api, ident)


@pytest.mark.parametrize(
    ("cue", "end", "ended", "code"),
    [
        ("[[batch-expired 1]]", expires, "expired", "batch_expired"),
        ("[[batch-held 1]]", cancels, "cancelled", "batch_cancelled"),
    ],
)
def test_a_batch_that_is_not_finished(
    cue: str, end: Callable[[openai.OpenAI, str], Any], ended: str, code: str
) -> None:
    """What was done by then stands in the output file; why the rest was not, in the error file."""
    api = client(Emulator())

    assert end(api, batched(api, lines(cue, "hi")).id) == (ended, {"c0": 200}, {"c1": code})


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (lines("hi", "[[batch-failed]]"), "invalid_request"),
        (lines("hi") + lines("hi"), "duplicate_custom_id"),
        (lines("hi") + b"{\n", "invalid_json_line"),
        (lines("hi") + lines("hi", model="gpt-5.5"), "mismatched_model"),
        (b"", "invalid_request"),
    ],
)
def test_a_batch_that_fails(data: bytes, code: str) -> None:
    """One wrong line fails the whole of it, with the line's number."""
    api = client(Emulator())
    made = batched(api, data)

    assert statuses(api, made.id, 3) == ["validating", "failed", "failed"]
    errors = api.batches.retrieve(made.id).errors
    assert errors is not None
    assert code in {error.code for error in errors.data or []}
    with pytest.raises(openai.ConflictError):
        api.batches.cancel(made.id)


def test_lines_that_go_astray() -> None:
    """One in neither file, one with a status that is none."""
    api = client(Emulator())
    made = batched(api, lines("hi", "[[batch-lost]]", "[[batch-zero]]"))
    statuses(api, made.id)
    done = api.batches.retrieve(made.id)

    assert codes(api, done.output_file_id) == {"c0": 200}
    assert codes(api, done.error_file_id) == {"c2": 0}


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"purpose": "world_domination"}, "'world_domination' is not one of"),
        ({"purpose": "user_data", "expires_after": {"anchor": "created_at", "seconds": 60}}, "expires_after"),
    ],
)
def test_uploads_that_are_refused(fields: dict[str, Any], message: str) -> None:
    """A purpose or a time that the API does not have."""
    with pytest.raises(openai.BadRequestError, match=message):
        client(Emulator()).files.create(file=("a.txt", b"x"), **fields)


def test_what_is_not_there() -> None:
    """404 for batches and inputs that do not exist, and for paths."""
    api = client(Emulator())

    with pytest.raises(openai.NotFoundError, match="No batch found"):
        api.batches.retrieve("batch_x")
    with pytest.raises(openai.BadRequestError, match="input_file_id"):
        api.batches.create(input_file_id="file-x", endpoint="/v1/responses", completion_window="24h")
    assert Emulator().respond("DELETE", "/v1/batches/x").status == 404
