"""Files and batches beside Anthropic's own: by the judge of bodies, and field by field with recorded answers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pipeline.settings import Settings, StorageSettings, UpstreamSettings
from stages.wire import json
from tests.pipeline.endpoints.batches.test_batches import MIXED, PATH, asked
from tests.pipeline.endpoints.files.test_files import OLD, by_hand
from tests.support.client import Reply
from tests.support.judges import judge_body
from tests.support.multipart import CONTENT_TYPE, form

NEW = {
    "file.expires_at": "was added when files left the beta; the recordings are older, the client's types have it",
    "succeeded.message.usage.output_tokens_details": "was added later, with the tokens of thinking",
    "succeeded.message.usage.output_tokens_details.thinking_tokens": "the same",
    "succeeded.message.container": "is there for requests that run code; the recorded ones do not, ours say null",
}
"""Fields of ours that no recording has, and why."""

ABSENT = {
    "succeeded.message.usage.inference_geo": "where a model has run: nobody tells that here, so nothing is claimed",
}
"""Fields of recordings that ours have not, and why."""

WAYS = ("upstream", "local")
"""Who keeps files and runs batches."""


async def answers(where: str, folder: Path) -> list[Reply]:
    """Make every call, and collect what is said."""
    upstream = UpstreamSettings(url="emulator", retries=0)
    storage = StorageSettings(where=where, folder=str(folder))  # type: ignore[arg-type] # one of the two words
    found = list[Reply]()
    async with by_hand(Settings(upstream=upstream, storage=storage, log_level="error")) as send:

        async def call(method: str, path: str, body: bytes = b"", **headers: str) -> Any:
            found.append(await send(method, path, body, **headers))
            return found[-1].json() if "x-jsonl" not in found[-1].headers["content-type"] else None

        data = form(("file", b"a,b\n1,2\n", "data.csv", "text/csv"))
        file = await call("POST", "/v1/files", data, content_type=CONTENT_TYPE)
        for method, path in (("GET", f"/{file['id']}"), ("GET", f"/{file['id']}/content")):
            await call(method, f"/v1/files{path}")
        await call("GET", "/v1/files", anthropic_beta=OLD["anthropic-beta"])  # the judge does not know today's lists
        await call("DELETE", f"/v1/files/{file['id']}")
        await call("GET", f"/v1/files/{file['id']}")
        mixed = [one for one in MIXED if one["custom_id"] != "refused-upstream"]
        made = await call("POST", PATH, json.encode({"requests": mixed}))
        while (await call("GET", f"{PATH}/{made['id']}"))["processing_status"] != "ended":
            pass
        for method, path in (("GET", f"/{made['id']}/results"), ("GET", ""), ("POST", f"/{made['id']}/cancel")):
            await call(method, f"{PATH}{path}")
        await call("DELETE", f"{PATH}/{made['id']}")
        await call("GET", f"{PATH}/{made['id']}/results")
        await call("POST", PATH, json.encode({"requests": [asked("a b")]}))
    return found


def bodies(reply: Reply) -> list[Any]:
    """What a reply holds: one body, or a result on each line."""
    return [json.decode(line) for line in reply.body.splitlines()]


@pytest.mark.usefixtures("shared")
@pytest.mark.parametrize("where", WAYS)
async def test_every_answer_could_be_anthropics(tmp_path: Path, where: str) -> None:
    """By the judge, which knows each kind of body."""
    replies = await answers(where, tmp_path)

    assert [found for reply in replies for body in bodies(reply) for found in judge_body(body, reply.status)] == []
    assert {reply.status for reply in replies} == {200, 400, 404}


@pytest.mark.parametrize("where", WAYS)
async def test_fields_are_those_of_recorded_answers(shared: Path, tmp_path: Path, where: str) -> None:
    """Each that only one side has is explained."""
    replies = await answers(where, tmp_path)
    ours = {name for reply in replies for body in bodies(reply) for name in fields(body)}
    theirs = {name for body in recorded(shared) for name in fields(body)}

    assert ours - theirs - NEW.keys() == set()
    assert theirs - ours - ABSENT.keys() == set()


def recorded(shared: Path) -> Iterator[Any]:
    """The recorded bodies about files and batches."""
    for category in ("batches", "files"):
        for path in sorted((shared / "recordings" / "anthropic" / category).iterdir()):
            yield json.decode(path.read_bytes())["body"]


def fields(body: Any) -> Iterator[str]:
    """Name the fields of a thing of a kind that recordings have; contents of messages are compared elsewhere."""
    kind = body.get("type")
    if "custom_id" in body and body["result"]["type"] == "succeeded":
        yield from _names("succeeded", {name: body["result"][name] for name in ("type", "message")})
    elif kind in ("file", "file_deleted", "message_batch"):
        yield from _names(kind, body)


def _names(where: str, value: Any) -> Iterator[str]:
    for name, inner in value.items():
        yield f"{where}.{name}"
        if isinstance(inner, dict):
            yield from _names(f"{where}.{name}", inner)
