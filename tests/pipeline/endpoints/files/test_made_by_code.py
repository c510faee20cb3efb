"""Files that code has made: named in a result, downloaded by their owner, and gone with their container."""

from __future__ import annotations

from typing import Any

import anthropic
import pytest

from pipeline.emulator import EmulatorTransport
from tests.pipeline.endpoints.batches.test_batches import asked, outcomes, over
from tests.pipeline.endpoints.files.test_files import ALICE, ALONE, BOB, SHARED, by_hand, sdk
from tests.support.bodies import assert_anthropic

CODE: Any = {"type": "code_execution_20250825", "name": "code_execution"}
CONTENT = b"a.csv by the emulator\n"


def said(words: Any) -> Any:
    """A request that runs code."""
    return {
        "model": "m",
        "max_tokens": 500,
        "tools": [CODE],
        "messages": [{"role": "user", "content": words}],
    }


def files_of(message: Any) -> list[str]:
    """The files that an answer names, as Anthropic's pages look for them."""
    results = [block.content for block in message.content if block.type == "code_execution_tool_result"]
    return [file.file_id for result in results for file in result.content]


@pytest.mark.parametrize("settings", [ALONE, SHARED])
async def test_the_life_of_a_file_that_code_made(settings: Any) -> None:
    """Known, downloaded and deleted by whoever asked for it, streamed or not; to others there is no such file."""

    def talk(client: anthropic.Anthropic) -> str:
        message = client.messages.create(**said("[[code a.csv b.txt]]"))
        with client.messages.stream(**said("[[code a.csv b.txt]]")) as stream:
            assert files_of(stream.get_final_message()) == files_of(message)
        first, second = files_of(message)
        told = client.files.retrieve_metadata(first)
        assert (told.filename, told.mime_type, told.size_bytes, told.downloadable) == ("a.csv", "text/csv", 22, True)
        assert told.expires_at is not None
        assert client.files.download(first).read() == CONTENT
        assert [file.id for file in client.files.list(ids=[second])] == [second]
        assert client.files.delete(second).type == "file_deleted"
        for call in (client.files.retrieve_metadata, client.files.download, client.files.delete):
            with pytest.raises(anthropic.NotFoundError, match="File not found"):
                call(second)
        return first

    def steal(client: anthropic.Anthropic, ident: str) -> None:
        for stolen in (ident, ident.rpartition("_")[0]):
            for call in (client.files.retrieve_metadata, client.files.download, client.files.delete):
                with pytest.raises(anthropic.NotFoundError, match="File not found"):
                    call(stolen)

    async with sdk(settings) as use:
        ident = await use(talk, ALICE)
        if settings is SHARED:
            await use(lambda client: steal(client, ident), BOB)


async def test_a_file_is_gone_with_its_container() -> None:
    """404, with the code that the clients have a class for; and a message that names the container hears of it."""

    def talk(client: anthropic.Anthropic) -> None:
        message = client.messages.create(**said("[[code-expired a.csv]]"))
        (ident,) = files_of(message)
        for call in (client.files.retrieve_metadata, client.files.download, client.files.delete):
            with pytest.raises(anthropic.NotFoundError, match=f"File {ident} has expired") as caught:
                call(ident)
            assert caught.value.body["error"]["details"]["error_code"] == "file_expired"  # type: ignore[index] # it is one
        assert message.container is not None
        with pytest.raises(anthropic.NotFoundError):
            client.messages.create(**said("[[code]]"), container=message.container.id)

    async with sdk() as use:
        await use(talk)


async def test_code_finds_what_was_uploaded_for_it() -> None:
    """And goes on in the same container; what it has made itself needs no upload."""
    transport = EmulatorTransport(delay=0)

    def talk(client: anthropic.Anthropic) -> str:
        mine = client.files.upload(file=("in.csv", b"1,2"))
        upload = {"type": "container_upload", "file_id": mine.id}
        first = client.messages.create(**said([upload, {"type": "text", "text": "[[code a.csv]]"}]))
        (made,) = files_of(first)
        again = said([upload, {"type": "text", "text": "[[code a.csv]]"}])
        again["messages"] += [
            {"role": "assistant", "content": [block.model_dump(exclude_none=True) for block in first.content]},
            {"role": "user", "content": [{"type": "container_upload", "file_id": made}]},
            {"role": "user", "content": "[[code b.csv]]"},
        ]
        second = client.messages.create(**again)
        assert first.container is not None
        assert second.container is not None
        assert second.container.id == first.container.id
        return str(first.container.id)

    async with sdk(SHARED, transport) as use:
        container = await use(talk)
    kept = transport.emulator.account.containers.files(container, {})["data"]  # type: ignore[index] # it is no fault
    assert sorted(file["path"].rpartition("~")[2].rpartition("/")[2] for file in kept) == ["a.csv", "b.csv", "in.csv"]
    kinds = [item["type"] for item in transport.requests[-1]["input"]]
    assert kinds.count("code_interpreter_call") == 1  # the call that only named files is none


async def test_files_of_a_batch() -> None:
    """Its answers name their files as all others, to its owner."""

    def talk(client: anthropic.Anthropic) -> None:
        ident = client.messages.batches.create(requests=[asked("a", "[[code a.csv]]", tools=[CODE])]).id
        over(client, ident)
        (file,) = files_of(outcomes(client, ident)["a"].message)
        assert client.files.download(file).read() == CONTENT

    async with sdk(SHARED) as use:
        await use(talk, ALICE)


async def test_answers_are_as_anthropic_has_them() -> None:
    """Metadata by the types of the client's beta; the download has a name and a type."""
    async with by_hand() as send:
        body = b'{"model":"m","max_tokens":99,"tools":[{"type":"code_execution_20250825","name":"code_execution"}],'
        body += b'"messages":[{"role":"user","content":"[[code a.csv]]"}]}'
        message = (await send("POST", "/v1/messages", body, content_type="application/json")).json()
        ident = message["content"][-1]["content"]["content"][0]["file_id"]
        assert_anthropic((await send("GET", f"/v1/files/{ident}")).json())
        reply = await send("GET", f"/v1/files/{ident}/content")
        assert (reply.headers["content-type"], reply.body) == ("text/csv", CONTENT)
        assert reply.headers["content-disposition"].endswith("a.csv")


@pytest.mark.parametrize("ident", ["..", "../batches", "%2e%2e", "a/b", "a%00b", "\u00fc", "file_", "x" * 300, ".x"])
async def test_odd_ids_are_nobodys(ident: str) -> None:
    """404, and the upstream is not asked by a path that a client has made."""
    transport = EmulatorTransport(delay=0)
    async with by_hand(transport=transport) as send:
        for method in ("GET", "DELETE"):
            reply = await send(method, f"/v1/files/{ident}")
            assert (reply.status, reply.json()["error"]["type"]) == (404, "not_found_error")
