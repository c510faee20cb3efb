"""`/v1/files`, by Anthropic's own client over a socket, and by hand where that one would not do it."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anthropic
import pytest
import trio

from pipeline.emulator import EmulatorTransport
from pipeline.endpoints.application import application
from pipeline.service import open_service
from pipeline.settings import Limits, Secret, Settings, StorageSettings, Timing, UpstreamSettings
from pipeline.settings.client_keys import client_keys
from tests.support.bodies import assert_anthropic
from tests.support.cases import cases
from tests.support.client import MemoryClient, Reply
from tests.support.multipart import CONTENT_TYPE, form
from tests.support.process import PATIENCE
from tests.support.serving import serving

ALICE, BOB = "sk-of-alice", "sk-of-bob"
UPSTREAM = UpstreamSettings(url="emulator", api_key=Secret("sk-upstream"), retries=0)
ALONE = Settings(upstream=UPSTREAM, log_level="error")
SHARED = Settings(upstream=UPSTREAM, log_level="error", client_keys=client_keys([ALICE, BOB]))
OLD = {"anthropic-beta": "files-api-2025-04-14"}


@asynccontextmanager
async def sdk(settings: Settings = ALONE, transport: EmulatorTransport | None = None) -> AsyncIterator[Any]:
    """Serve the emulator, and give a way to use Anthropic's client on it, with a key."""
    async with serving(settings, transport or EmulatorTransport(delay=0)) as url:

        async def use(talk: Callable[[anthropic.Anthropic], Any], key: str = ALICE) -> Any:
            def talking() -> Any:
                with anthropic.Anthropic(base_url=url, api_key=key, max_retries=0, timeout=PATIENCE) as client:
                    return talk(client)

            return await trio.to_thread.run_sync(talking)

        yield use


@asynccontextmanager
async def by_hand(settings: Settings = ALONE, transport: EmulatorTransport | None = None) -> AsyncIterator[Any]:
    """Give a way to send requests without a client."""
    async with open_service(settings, transport=transport or EmulatorTransport(delay=0)) as context:
        client = MemoryClient(application(context))

        async def send(method: str, path: str, body: bytes = b"", **headers: str) -> Reply:
            told = {name.replace("_", "-"): value for name, value in headers.items()}
            return await client.request(method, path, body, {"x-api-key": ALICE, **told})

        yield send


async def test_the_life_of_a_file() -> None:
    """Uploaded, retrieved, listed, not downloadable, deleted, and gone."""

    def talk(client: anthropic.Anthropic) -> None:
        made = client.files.upload(file=("dir/a.txt", b"hello"), expires_in_seconds=3600)
        assert (made.filename, made.mime_type, made.size_bytes, made.downloadable) == ("a.txt", "text/plain", 5, False)
        assert made.id.startswith("file_")
        assert made.expires_at is not None
        assert (made.expires_at - made.created_at).total_seconds() == 3600
        assert client.files.retrieve_metadata(made.id) == made
        assert [kept.id for kept in client.files.list()] == [made.id]
        assert [kept.id for kept in client.files.list(ids=[made.id, "file_none"])] == [made.id]
        with pytest.raises(anthropic.BadRequestError, match="file_not_downloadable"):
            client.files.download(made.id)
        assert client.files.delete(made.id).type == "file_deleted"
        with pytest.raises(anthropic.NotFoundError, match="File not found"):
            client.files.retrieve_metadata(made.id)

    async with sdk() as use:
        await use(talk)


async def test_a_large_file_lies_on_the_disk() -> None:
    """It arrives as it was, and its type as the client said it."""
    data = bytes(range(256)) * 12_000
    transport = EmulatorTransport(delay=0)
    async with sdk(transport=transport) as use:
        made = await use(lambda client: client.files.upload(file=("big", data, "application/pdf")))

    kept = transport.emulator.account.files.page({})["data"][0]  # type: ignore[index] # it is no fault
    found = transport.emulator.account.files.find(kept["id"])
    assert getattr(found, "data", None) == data
    assert (made.filename, made.mime_type) == ("big", "application/pdf")
    assert kept["filename"] == "big~.pdf"  # the upstream goes by the ending


async def test_pages_of_both_shapes() -> None:
    """Newest first; forwards by a token, or by ids in both directions."""

    def talk(client: anthropic.Anthropic) -> None:
        made = [client.files.upload(file=(f"{at}.txt", b"x")).id for at in range(5)][::-1]
        assert [kept.id for kept in client.files.list(limit=2)] == made
        page = client.files.list(limit=2)
        assert page.next_page is not None
        assert page.next_page.startswith("page_")
        old: Any = client.get("/v1/files?limit=2", cast_to=object, options={"headers": OLD})
        assert ([one["id"] for one in old["data"]], old["has_more"], old["last_id"]) == (made[:2], True, made[1])
        after: Any = client.get(f"/v1/files?after_id={made[2]}", cast_to=object)
        assert ([one["id"] for one in after["data"]], after["has_more"]) == (made[3:], False)
        before: Any = client.get(f"/v1/files?before_id={made[3]}&limit=2", cast_to=object)
        assert ([one["id"] for one in before["data"]], before["has_more"]) == (made[1:3], True)

    async with sdk() as use:
        await use(talk)


async def test_nobody_touches_anothers_files() -> None:
    """Not by a list, not by the id, not by the id without its seal, not with a seal of one's own, not in a message."""
    transport = EmulatorTransport(delay=0)
    async with sdk(SHARED, transport) as use:
        made = await use(lambda client: client.files.upload(file=("a.txt", b"x")))
        own = await use(lambda client: client.files.upload(file=("b.txt", b"x")), BOB)
        stolen = [made.id, made.id[: made.id.rindex("_")], made.id[:-16] + own.id[-16:]]
        raw = transport.emulator.account.files.page({})["data"][-1]["id"]  # type: ignore[index] # it is no fault

        def steal(client: anthropic.Anthropic) -> None:
            assert [kept.id for kept in client.files.list()] == [own.id]
            assert [kept.id for kept in client.files.list(ids=[*stolen, raw, own.id])] == [own.id]
            for ident in (*stolen, raw):
                with pytest.raises(anthropic.NotFoundError):
                    client.files.delete(ident)
                source: Any = {"type": "document", "source": {"type": "file", "file_id": ident}}
                result = {"type": "tool_result", "tool_use_id": "t", "content": [source]}
                upload = {"type": "container_upload", "file_id": ident}
                for block in (source, result, upload):
                    said: Any = [{"role": "user", "content": [block]}]
                    with pytest.raises(anthropic.NotFoundError, match="File not found"):
                        client.messages.create(model="m", max_tokens=9, messages=said)

        await use(steal, BOB)
        assert [kept.id for kept in await use(lambda client: list(client.files.list()))] == [made.id]


async def test_a_message_names_its_own_files() -> None:
    """In documents and pictures, with and without owners; the upstream gets its own id."""
    for settings in (ALONE, SHARED):
        transport = EmulatorTransport(delay=0)
        async with sdk(settings, transport) as use:

            def talk(client: anthropic.Anthropic) -> None:
                made = client.files.upload(file=("a.txt", b"x"))
                blocks: Any = [
                    {"type": kind, "source": {"type": "file", "file_id": made.id}} for kind in ("document", "image")
                ]
                client.messages.create(model="m", max_tokens=9, messages=[{"role": "user", "content": blocks}])

            await use(talk)
        kept = transport.emulator.account.files.page({})["data"][0]["id"]  # type: ignore[index] # it is no fault
        parts = transport.requests[-1]["input"][-1]["content"]
        assert [part["file_id"] for part in parts] == [kept, kept]


@cases(
    ("body", "content_type", "status", "words"),
    [
        (b"{}", "application/json", 400, "multipart/form-data"),
        (form(("note", b"x")), CONTENT_TYPE, 400, "`file` part"),
        (form(("file", b"x", "a.txt", ""))[:-9], CONTENT_TYPE, 400, "not valid multipart"),
        (form(("file", b"x", "a.txt", "")), "multipart/form-data; boundary=other", 400, "not valid multipart"),
        (form(("file", b"x", "a.txt", "")), f"multipart/form-data; boundary={'x' * 500}", 400, "multipart/form-data"),
        (form(("file", b"x", "a", ""), ("expires_in_seconds", "٣٦٠٠".encode())), CONTENT_TYPE, 400, "valid integer"),
        (form(("file", b"", "a.txt", "")), CONTENT_TYPE, 400, "empty"),
        (form(("file", b"x", "a?.txt", "")), CONTENT_TYPE, 400, "forbidden characters"),
        (form(("file", b"x", "a", ""), ("expires_in_seconds", b"60")), CONTENT_TYPE, 400, "expires_in_seconds"),
        (form(("file", b"x" * 101, "a.txt", "")), CONTENT_TYPE, 413, "maximum size"),
        (form(("file", b"x" * 2**17, "a.txt", "")), CONTENT_TYPE, 413, "maximum size"),
    ],
)
async def test_uploads_that_are_refused(body: bytes, content_type: str, status: int, words: str) -> None:
    """In Anthropic's envelope, and nothing is kept."""
    transport = EmulatorTransport(delay=0)
    settings = Settings(upstream=UPSTREAM, log_level="error", limits=Limits(file_bytes=100))
    async with by_hand(settings, transport) as send:
        reply = await send("POST", "/v1/files", body, content_type=content_type, content_length=str(len(body)))

    assert reply.status == status
    assert words in reply.json()["error"]["message"]
    assert transport.emulator.account.files.page({})["data"] == []  # type: ignore[index] # it is no fault


@pytest.mark.parametrize(
    ("name", "kind", "told"),
    [
        ("../../etc/passwd", "", ("passwd", "application/octet-stream")),
        ("..", "text/plain", ("unnamed.txt", "text/plain")),
        ("a.png", "../../x", ("a.png", "image/png")),
        ("a.png", "Image/PNG", ("a.png", "image/png")),
        ("a.bin", "a/b\x01c", ("a.bin", "application/octet-stream")),
    ],
)
async def test_names_and_types_that_lie(name: str, kind: str, told: tuple[str, str]) -> None:
    """A name leads nowhere, and a type that is none is looked for in the name; the list says the same."""
    async with by_hand() as send:
        body = form(("file", b"x", name, kind))
        made = (await send("POST", "/v1/files", body, content_type=CONTENT_TYPE)).json()
        assert (made["filename"], made["mime_type"]) == told
        assert (await send("GET", "/v1/files")).json()["data"] == [made]


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("page=page_Li4vYg", "page: no such page"),
        ("after_id=file_none", "after_id: no file has this id"),
        ("before_id=..", "before_id: no file has this id"),
    ],
)
@pytest.mark.parametrize("where", ["upstream", "local"])
async def test_places_that_no_list_has(tmp_path: Path, where: Any, query: str, words: str) -> None:
    """The same words, whoever keeps the files; the upstream's would name what the client did not say."""
    storage = StorageSettings(where=where, folder=str(tmp_path))
    async with by_hand(Settings(upstream=UPSTREAM, storage=storage, log_level="error")) as send:
        reply = await send("GET", f"/v1/files?{query}")

    assert (reply.status, reply.json()["error"]["message"]) == (400, words)


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=1001",
        "limit=x",
        "page=page_!",
        "ids=a&limit=2",
        "ids=a&before_id=b",
        "after_id=a&before_id=b",
        "&".join(f"ids[]={n}" for n in range(101)),
    ],
)
async def test_pages_that_are_refused(query: str) -> None:
    """400, in words that name the parameter."""
    async with by_hand() as send:
        reply = await send("GET", f"/v1/files?{query}")

    assert (reply.status, reply.json()["error"]["type"]) == (400, "invalid_request_error")


@pytest.mark.parametrize(
    ("query", "page"),
    [
        ("", {"next_page": None}),
        ("&after_id={}", {"has_more": False, "first_id": None, "last_id": None}),
        ("&ids={}", {"next_page": None}),
    ],
)
async def test_the_files_of_a_scope(query: str, page: dict[str, Any]) -> None:
    """Nothing here belongs to a session of an agent, so none of them has files; a wrong page stays wrong."""
    async with by_hand() as send:
        made = (await send("POST", "/v1/files", form(("file", b"x", "a.txt", "")), content_type=CONTENT_TYPE)).json()
        reply = await send("GET", f"/v1/files?scope_id=session_1{query.format(made['id'])}")
        refused = await send("GET", "/v1/files?scope_id=session_1&limit=0")

    assert (reply.status, reply.json()) == (200, {"data": [], **page})
    assert refused.status == 400


@pytest.mark.parametrize("where", ["upstream", "local"])
async def test_an_account_without_space(tmp_path: Path, where: Any) -> None:
    """Is told by Anthropic's word for it, whoever keeps the files; a smaller file still fits."""
    transport = EmulatorTransport(delay=0)
    transport.emulator.account.files.quota = 10
    storage = StorageSettings(where=where, folder=str(tmp_path), max_bytes=10)
    async with by_hand(Settings(upstream=UPSTREAM, storage=storage, log_level="error"), transport) as send:
        large, small = [
            await send("POST", "/v1/files", form(("file", b"x" * size, "a.txt", "")), content_type=CONTENT_TYPE)
            for size in (11, 10)
        ]

    assert (large.status, small.status) == (400, 200)
    told = large.json()["error"]
    assert (told["type"], told["details"]["error_code"]) == ("invalid_request_error", "storage_quota_exceeded")


async def test_answers_are_as_anthropic_has_them() -> None:
    """By the types of the client's beta, nothing missing and nothing added."""
    async with by_hand() as send:
        made = (await send("POST", "/v1/files", form(("file", b"x", "a.txt", "")), content_type=CONTENT_TYPE)).json()
        for answer in (
            made,
            (await send("GET", f"/v1/files/{made['id']}")).json(),
            (await send("GET", "/v1/files")).json(),
            (await send("GET", "/v1/files", anthropic_beta=OLD["anthropic-beta"])).json(),
            (await send("DELETE", f"/v1/files/{made['id']}")).json(),
        ):
            assert_anthropic(answer)


async def test_an_upstream_without_files_says_so() -> None:
    """Each call, in words that tell why, where this machine must not stand in."""
    upstream, storage = UpstreamSettings(url="emulator", profile="vllm"), StorageSettings(where="upstream")
    async with by_hand(Settings(upstream=upstream, storage=storage, log_level="error")) as send:
        for method, path in (
            ("POST", "/v1/files"),
            ("GET", "/v1/files"),
            ("GET", "/v1/files/x"),
            ("DELETE", "/v1/files/x"),
        ):
            reply = await send(method, path)
            assert reply.status == 404
            assert "keeps no files" in reply.json()["error"]["message"]


async def test_a_disk_on_which_nothing_can_wait(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A large file and a batch are refused in words for the operator; a small file needs no disk."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "missing"))
    small, large = (form(("file", b"x" * size, "a.txt", "")) for size in (10, 2**21))
    async with by_hand() as send:
        assert (await send("POST", "/v1/files", small, content_type=CONTENT_TYPE)).status == 200
        refused = await send("POST", "/v1/files", large, content_type=CONTENT_TYPE)
        for told in (refused, await send("POST", "/v1/messages/batches", b'{"requests": []}')):
            assert (told.status, "temporary files" in told.json()["error"]["message"]) == (500, True)


@pytest.mark.parametrize(("leaves", "statuses"), [(True, []), (False, [408])])
@pytest.mark.parametrize("path", ["/v1/files", "/v1/messages/batches"])
async def test_a_client_that_stops_in_the_middle(path: str, leaves: bool, statuses: list[int]) -> None:
    """It has left, or says nothing more until its time is up: nothing is kept."""
    transport, events = EmulatorTransport(delay=0), list[Any]()
    bodies = {"/v1/files": form(("file", b"x" * 2**21, "a.txt", "")), "/v1/messages/batches": b'{"requests": [{"a": '}
    pieces = [{"type": "http.request", "body": bodies[path][: 2**20 + 2**19], "more_body": True}]

    async def receive() -> Any:
        if not pieces and not leaves:
            await trio.sleep_forever()
        return pieces.pop() if pieces else {"type": "http.disconnect"}

    async def send(event: Any) -> None:
        events.append(event)

    headers = [(b"content-type", CONTENT_TYPE.encode())]
    settings = Settings(upstream=UPSTREAM, log_level="error", timing=Timing(body=0.1))
    async with open_service(settings, transport=transport) as context:
        scope = {"type": "http", "method": "POST", "path": path, "query_string": b"", "headers": headers}
        await application(context)(scope, receive, send)

    assert [event["status"] for event in events if "status" in event] == statuses
    account = transport.emulator.account
    assert [*account.files.page({})["data"], *account.batches.page({})["data"]] == []  # type: ignore[index] # no fault
