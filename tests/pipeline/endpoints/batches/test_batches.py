"""`/v1/messages/batches`, by Anthropic's own client on the emulator: every call, every status, every kind of result."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import anthropic
import httpx
import pytest
import structlog.testing

from pipeline.emulator import EmulatorTransport
from pipeline.endpoints.application import application
from pipeline.endpoints.batches import create
from pipeline.service import open_service
from pipeline.settings import Limits, Settings, StorageSettings
from stages.tables.identifiers import upstream_tool_name
from stages.tables.model_registry import Described, ModelRegistry
from stages.tables.prices import cost_usd
from stages.wire import json
from stages.wire.messages_stream import read_usage
from tests.pipeline.endpoints.files.test_files import ALICE, ALONE, BOB, SHARED, UPSTREAM, by_hand, sdk
from tests.support.bodies import assert_anthropic, assert_result
from tests.support.cases import cases
from tests.support.client import MemoryClient

PATH = "/v1/messages/batches"


def asked(custom_id: str, prompt: Any = "[[text]]", model: str = "claude-sonnet-5-5", **more: Any) -> Any:
    """Make one request of a batch."""
    message = {"role": "user", "content": prompt}
    return {"custom_id": custom_id, "params": {"model": model, "max_tokens": 500, "messages": [message], **more}}


def over(client: anthropic.Anthropic, ident: str) -> Any:
    """Ask how a batch stands until it has ended; the emulator goes on with each look."""
    for _ in range(20):
        batch = client.messages.batches.retrieve(ident)
        if batch.processing_status == "ended":
            return batch
    raise AssertionError("it never ends")


def outcomes(client: anthropic.Anthropic, ident: str) -> dict[str, Any]:
    """The results by `custom_id`, each of which comes once."""
    told = list(client.messages.batches.results(ident))
    assert len({one.custom_id for one in told}) == len(told)
    return {one.custom_id: one.result for one in told}


TOOL: Any = {"name": "odd.name/with-signs", "input_schema": {"type": "object", "properties": {"a": {"type": "string"}}}}
NAMED = {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]}
PICTURE = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "iVBORw0KGgo="}}
MIXED = [
    asked("text"),
    asked("other-model", model="claude-haiku-5-5"),
    asked("stopped", "[[say one two three]]", stop_sequences=["two"]),
    asked("tool", f'[[call:{upstream_tool_name(TOOL["name"])} {{"a": "b"}}]]', tools=[TOOL]),
    asked("short", "[[max 4]]"),
    asked("thinking", "[[think]]", thinking={"type": "adaptive"}),
    asked("picture", [PICTURE]),
    asked("structured", output_config={"format": {"type": "json_schema", "schema": NAMED}}),
    asked("refused-upstream", "[[error 429]]"),
    asked("wrong", max_tokens="many"),
    asked("streams", stream=True),
    asked("warms", max_tokens=0),
    asked("fast", speed="fast"),
    asked("falls-back", fallbacks=[{"model": "claude-haiku-5-5"}]),
]
WANTED = {
    "text": "end_turn",
    "other-model": "end_turn",
    "stopped": "stop_sequence",
    "short": "max_tokens",
    "tool": "tool_use",
    "thinking": "end_turn",
    "picture": "end_turn",
    "structured": "end_turn",
    "refused-upstream": "rate_limit_error",
    "wrong": "invalid_request_error",
    "streams": "invalid_request_error",
    "warms": "invalid_request_error",
    "fast": "invalid_request_error",
    "falls-back": "invalid_request_error",
}


async def test_a_batch_of_everything() -> None:
    """Two models, answers of each kind, and wrong requests, each with its own result; then it is deleted."""

    def talk(client: anthropic.Anthropic) -> None:
        made = client.messages.batches.create(requests=MIXED)
        assert (made.processing_status, made.request_counts.processing) == ("in_progress", len(MIXED))
        assert (made.expires_at - made.created_at).total_seconds() == 86_400
        done = over(client, made.id)
        found = outcomes(client, made.id)
        assert found.keys() == {one["custom_id"] for one in MIXED}
        for name, wanted in WANTED.items():
            result = found[name]
            told = result.message.stop_reason if result.type == "succeeded" else result.error.error.type
            assert (name, told) == (name, wanted)
        assert found["text"].message.usage.service_tier == "batch"
        assert found["text"].message.model == "claude-sonnet-5-5"
        assert found["tool"].message.content[-1].name == TOOL["name"]
        assert found["stopped"].message.stop_sequence == "two"
        assert json.decode(found["structured"].message.content[-1].text.encode()).keys() == {"name"}
        assert [block.type for block in found["thinking"].message.content] == ["thinking", "text"]
        counts = done.request_counts
        assert counts.processing == 0
        assert counts.succeeded == sum(one.type == "succeeded" for one in found.values())
        assert counts.errored == sum(one.type == "errored" for one in found.values())
        assert client.messages.batches.delete(made.id).type == "message_batch_deleted"
        with pytest.raises(anthropic.NotFoundError):
            client.messages.batches.results(made.id)

    transport = EmulatorTransport(delay=0)
    async with sdk(transport=transport) as use:
        await use(talk)
    assert transport.emulator.account.files.page({})["data"] == []  # type: ignore[index] # it is no fault


def ends(client: anthropic.Anthropic, ident: str) -> None:
    """Let a batch come to its end."""
    over(client, ident)


def is_cancelled(client: anthropic.Anthropic, ident: str) -> None:
    """Cancel a batch that would run for ever."""
    assert client.messages.batches.retrieve(ident).processing_status == "in_progress"
    told = client.messages.batches.cancel(ident)
    assert told.processing_status == "canceling"
    assert told.cancel_initiated_at is not None
    over(client, ident)


@pytest.mark.parametrize(
    ("cue", "end", "outcome"),
    [
        ("[[batch-expired 1]]", ends, ["succeeded", "expired"]),
        ("[[batch-held 1]]", is_cancelled, ["succeeded", "canceled"]),
        ("[[batch-failed]]", ends, ["errored", "errored"]),
        ("[[batch-lost]]", ends, ["errored", "succeeded"]),
        ("[[batch-zero]]", ends, ["errored", "succeeded"]),
    ],
)
async def test_how_a_batch_may_end(cue: str, end: Callable[..., None], outcome: list[str]) -> None:
    """Each of the upstream's ends, and each mistake in its files: every request has its one result, and is counted."""

    def talk(client: anthropic.Anthropic) -> None:
        ident = client.messages.batches.create(requests=[asked("a", cue), asked("b")]).id
        end(client, ident)
        found = outcomes(client, ident)
        assert [found["a"].type, found["b"].type] == outcome
        counts = client.messages.batches.retrieve(ident).request_counts
        assert all(getattr(counts, kind) == outcome.count(kind) for kind in set(outcome))

    async with sdk() as use:
        await use(talk)


async def test_pages_of_both_directions_and_owners() -> None:
    """Newest first; another key's batches are not there, by whatever call."""

    def talk(client: anthropic.Anthropic) -> list[str]:
        api = client.messages.batches
        made = [api.create(requests=[asked("a")]).id for _ in range(4)][::-1]
        assert [one.id for one in api.list(limit=2)] == made
        after = api.list(after_id=made[1], limit=1)
        assert ([one.id for one in after.data], after.has_more) == (made[2:3], True)
        before = api.list(before_id=made[3], limit=2)
        assert ([one.id for one in before.data], before.has_more) == (made[1:3], True)
        return made

    def steal(client: anthropic.Anthropic, ident: str) -> None:
        api = client.messages.batches
        assert list(api.list()) == []
        for call in (api.retrieve, api.cancel, api.delete, api.results):
            with pytest.raises(anthropic.NotFoundError, match="Batch not found"):
                call(ident)

    async with sdk(SHARED) as use:
        made = await use(talk, ALICE)
        await use(lambda client: steal(client, made[0]), BOB)


@cases(
    ("body", "status", "words"),
    [
        (b"{", 400, "not valid JSON"),
        (b"[]", 400, "no object"),
        (json.encode({"requests": [asked("a")]}) + b"x", 400, "not valid JSON"),
        (json.encode({"requests": [asked("a"), asked("b")]})[:-30], 400, "not valid JSON"),
        (json.encode({"requests": [asked("a" * 65)]}), 400, "requests.0.custom_id"),
        (json.encode({"requests": [asked("a\x00")]}), 400, "requests.0.custom_id"),
        (json.encode({"requests": [{"custom_id": "a", "params": []}]}), 400, "requests.0.params"),
        (b"{}", 400, "requests: Field required"),
        (b'{"requests": []}', 400, "should not be empty"),
        (b'{"requests": [1]}', 400, "requests.0: Input should be an object"),
        (json.encode({"requests": [asked("a"), {"params": {}}]}), 400, "requests.1.custom_id: Field required"),
        (json.encode({"requests": [asked("a b")]}), 400, "requests.0.custom_id"),
        (json.encode({"requests": [asked("a"), asked("b"), asked("a")]}), 400, "requests.2.custom_id: must be unique"),
        (json.encode({"requests": [{"custom_id": "a"}]}), 400, "requests.0.params: Field required"),
        (json.encode({"requests": [asked("a", stream=True)]}), 400, "none of them is valid"),
        (json.encode({"requests": [asked("a", "x" * 2000)]}), 413, "maximum size"),
    ],
)
async def test_batches_that_are_refused(body: bytes, status: int, words: str) -> None:
    """With the index of what is wrong; nothing is left upstream."""
    transport = EmulatorTransport(delay=0)
    settings = Settings(upstream=UPSTREAM, log_level="error", limits=Limits(batch_bytes=1000))
    async with by_hand(settings, transport) as send:
        reply = await send("POST", PATH, body)

    assert reply.status == status
    assert words in reply.json()["error"]["message"]
    assert transport.emulator.account.files.page({})["data"] == []  # type: ignore[index] # it is no fault


async def test_answers_are_as_anthropic_has_them() -> None:
    """By the types of the client's beta; the address of the results is the one that is set, or the client's own."""
    settings = Settings(upstream=UPSTREAM, log_level="error", public_url="https://proxy.example/llm/")
    async with by_hand(settings) as send:
        made = (await send("POST", PATH, json.encode({"requests": MIXED}))).json()
        bodies = [made, (await send("GET", PATH)).json()]
        while bodies[-1].get("processing_status") != "ended":
            bodies.append((await send("GET", f"{PATH}/{made['id']}")).json())
        assert bodies[-1]["results_url"] == f"https://proxy.example/llm{PATH}/{made['id']}/results"
        results = await send("GET", f"{PATH}/{made['id']}/results")
        bodies.append((await send("DELETE", f"{PATH}/{made['id']}")).json())
    for body in bodies:
        assert_anthropic(body)
    assert results.headers["content-type"] == "application/x-jsonl"
    assert len(results.body.splitlines()) == len(MIXED)
    for line in results.body.splitlines():
        assert_result(json.decode(line))


@pytest.mark.parametrize("ident", ["msgbatch_none", "..", "msgbatch_..%2f..", "%00", "x" * 300, "batch_1"])
@pytest.mark.parametrize("where", ["upstream", "local"])
async def test_ids_that_no_batch_has(tmp_path: Path, where: Any, ident: str) -> None:
    """404 by every call, whoever keeps the batches."""
    storage = StorageSettings(where=where, folder=str(tmp_path))
    async with by_hand(Settings(upstream=UPSTREAM, storage=storage, log_level="error")) as send:
        for method, call in (("GET", ""), ("GET", "/results"), ("POST", "/cancel"), ("DELETE", "")):
            reply = await send(method, f"{PATH}/{ident}{call}")
            assert (reply.status, reply.json()["error"]["type"]) == (404, "not_found_error")
            assert reply.json()["error"]["message"].startswith("Batch not found")


async def test_not_before_its_time() -> None:
    """Results and deletion are refused while it runs, and polls say when to come back."""
    async with by_hand() as send:
        ident = (await send("POST", PATH, json.encode({"requests": [asked("a")]}))).json()["id"]
        early = [await send("GET", f"{PATH}/{ident}/results"), await send("DELETE", f"{PATH}/{ident}")]
        poll = await send("GET", f"{PATH}/{ident}")

    assert [reply.status for reply in early] == [400, 400]
    assert poll.headers["retry-after"] == "10"


class _Slow(EmulatorTransport):
    """Has ended, or begun to end, each batch before its answer to a cancellation is on its way."""

    def __init__(self, looks: int) -> None:
        super().__init__(delay=0)
        self.looks = looks

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Answer; time passes before a cancellation."""
        if request.url.path.endswith("/cancel"):
            (one,) = self.emulator.account.batches.page({})["data"]  # type: ignore[index] # it is no fault
            for _ in range(self.looks):
                self.emulator.account.batches.look(one["id"])
        return await super().handle_async_request(request)


@pytest.mark.parametrize("where", ["upstream", "local"])
async def test_cancelled_twice(tmp_path: Path, where: Any) -> None:
    """The second time changes nothing, not even when it was; and so it stays once it has ended."""
    storage = StorageSettings(where=where, folder=str(tmp_path), concurrency=1)
    async with by_hand(Settings(upstream=UPSTREAM, storage=storage, log_level="error")) as send:
        requests = [asked(f"r{at}", "[[delay 0.2]][[text]][[batch-held 0]]") for at in range(3)]
        ident = (await send("POST", PATH, json.encode({"requests": requests}))).json()["id"]
        first, second = [await send("POST", f"{PATH}/{ident}/cancel") for _ in range(2)]
        assert (first.status, second.status) == (200, 200)
        assert first.json()["processing_status"] == "canceling"
        assert second.json()["cancel_initiated_at"] == first.json()["cancel_initiated_at"]
        while (told := (await send("GET", f"{PATH}/{ident}")).json())["processing_status"] != "ended":
            pass
        third = await send("POST", f"{PATH}/{ident}/cancel")
        assert (third.status, third.json()) == (200, told)


async def test_what_has_ended_while_it_was_to_be_cancelled() -> None:
    """Is told as it is; the upstream's refusal is nothing that a client could do anything about."""
    async with by_hand(transport=_Slow(looks=4)) as send:
        ident = (await send("POST", PATH, json.encode({"requests": [asked("a")]}))).json()["id"]
        reply = await send("POST", f"{PATH}/{ident}/cancel")

    assert (reply.status, reply.json()["processing_status"]) == (200, "ended")


@pytest.mark.parametrize(("count", "status"), [(5, 200), (6, 400)])
async def test_more_requests_than_a_batch_may_have(monkeypatch: pytest.MonkeyPatch, count: int, status: int) -> None:
    """The one too many is refused as soon as it comes, and nothing is made."""
    monkeypatch.setattr(create, "MAX_REQUESTS", 5)
    transport = EmulatorTransport(delay=0)
    async with by_hand(transport=transport) as send:
        reply = await send("POST", PATH, json.encode({"requests": [asked(f"r{at}") for at in range(count)]}))

    assert reply.status == status
    made = transport.emulator.account.batches.page({})["data"]  # type: ignore[index] # it is no fault
    if status != 200:
        assert reply.json()["error"]["message"] == "requests: List should have at most 5 items"
    assert len(made) == (status == 200)


class _Refusing(EmulatorTransport):
    """Refuses the batch of another model, when one is running already."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Answer, but for the second batch."""
        running = self.emulator.account.batches.page({})["data"]  # type: ignore[index] # it is no fault
        if request.method == "POST" and request.url.path.endswith("/batches") and running:
            return httpx.Response(500, json={"error": {"message": "Not today.", "type": "server_error"}})
        return await super().handle_async_request(request)


async def test_a_model_that_has_another_name_in_batches() -> None:
    """Azure's deployments of batches: the line names that one, the client's answer the model it has asked for."""
    models = {"opus": Described(upstream="prod", like="gpt-6.2-sol", batch="prod-batch")}
    transport = EmulatorTransport(delay=0)
    async with sdk(Settings(upstream=UPSTREAM, log_level="error", models=models), transport) as use:

        def talk(client: anthropic.Anthropic) -> None:
            ident = client.messages.batches.create(requests=[asked("a", model="claude-opus-5")]).id
            ends(client, ident)
            assert outcomes(client, ident)["a"].message.model == "claude-opus-5"

        await use(talk)
    files = transport.emulator.account.files
    inputs = [files.find(kept["id"]) for kept in files.page({"purpose": "batch"})["data"]]  # type: ignore[index] # no fault
    assert any(b'"model":"prod-batch"' in getattr(kept, "data", b"") for kept in inputs)


async def test_what_a_batch_cost_is_logged() -> None:
    """Half of the list's price for what its answers used, in the line of the call that reads them."""
    log = structlog.testing.CapturingLogger()
    async with open_service(ALONE, transport=EmulatorTransport(delay=0), log=log) as context:
        client = MemoryClient(application(context))
        made = (await client.request("POST", PATH, json.encode({"requests": [asked("a")]}))).json()
        while not (await client.request("GET", f"{PATH}/{made['id']}")).json()["results_url"]:
            pass
        line = json.decode((await client.request("GET", f"{PATH}/{made['id']}/results")).body)

    usage, (told,) = line["result"]["message"]["usage"], [one.kwargs for one in log.calls if "cost_usd" in one.kwargs]
    full = cost_usd(ModelRegistry.of({}).upstream_model("claude-sonnet-5-5"), read_usage(usage))
    assert (told["call"], told["succeeded"], told["cost_usd"]) == ("results", 1, round((full or 0) / 2, 6))
    assert told["cost_usd"] > 0


async def test_half_a_batch_is_taken_back() -> None:
    """What was begun is cancelled, every file is deleted, and the client hears of it."""
    transport = _Refusing(delay=0)
    async with by_hand(transport=transport) as send:
        body = json.encode({"requests": [asked("a"), asked("b", model="claude-haiku-5-5")]})
        reply = await send("POST", PATH, body)

    account = transport.emulator.account
    assert (reply.status, reply.json()["error"]["message"]) == (500, "Not today.")
    assert [one["status"] for one in account.batches.page({})["data"]] == ["cancelling"]  # type: ignore[index] # no fault
    assert account.files.page({})["data"] == []  # type: ignore[index] # it is no fault
