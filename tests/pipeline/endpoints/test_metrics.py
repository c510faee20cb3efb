"""What a scrape of `/metrics` reads."""

from __future__ import annotations

import attrs
import pytest
from prometheus_client.parser import text_string_to_metric_families

from pipeline.emulator import EmulatorTransport
from pipeline.endpoints.application import application
from pipeline.endpoints.running import Phase
from pipeline.telemetry import semantics
from pipeline.telemetry.counted import CountQuestion
from tests.support.client import MemoryClient
from tests.support.running import REQUEST, client_of, context_of


async def test_a_scrape() -> None:
    """Prometheus' own parser reads it: one request that was answered, and one that was refused; a scrape is no work."""
    client = client_of(EmulatorTransport(delay=0))
    await client.messages(REQUEST)
    await client.request("GET", "/nowhere/secret")
    reply = await client.request("GET", "/metrics")

    assert reply.status == 200
    assert reply.headers["content-type"].startswith("text/plain")
    samples = [sample for family in text_string_to_metric_families(reply.body.decode()) for sample in family.samples]
    requests = {
        (sample.labels["http_route"], sample.labels["http_response_status_code"]): sample.value
        for sample in samples
        if sample.name == "dragoman_requests_total"
    }
    assert requests == {("/v1/messages", "200"): 1.0, ("other", "404"): 1.0}
    assert [sample.value for sample in samples if sample.name == "dragoman_requests_running"] == [0.0]
    assert any(sample.name == "gen_ai_server_request_duration_seconds_count" for sample in samples)
    assert b"secret" not in reply.body


@pytest.mark.parametrize("path", ["/metrics", "/dragoman/", "/dragoman/usage?session=x"])
@pytest.mark.parametrize("answer", [None, "[]"])
async def test_several_workers(path: str, answer: str | None) -> None:
    """Their supervisor is asked, who knows all numbers; where it does not answer, nobody tells a part of them."""
    asked = list[CountQuestion]()

    async def supervisor(question: CountQuestion) -> str | None:
        asked.append(question)
        return answer

    context = attrs.evolve(context_of(EmulatorTransport(delay=0)), supervisor=supervisor)
    reply = await MemoryClient(application(context)).request("GET", path)

    assert len(asked) == 1
    assert reply.status == (529 if answer is None else 200)
    assert ("retry-after" in reply.headers) == (answer is None)


async def test_a_worker_that_finishes_is_told_apart() -> None:
    """Beside the new ones it is one more than were set, for as long as its last request runs."""
    context = context_of(EmulatorTransport(delay=0))
    before = context.numbers()
    context.running.life.phase = Phase.DRAINING
    after = context.numbers()

    assert [numbers[semantics.WORKERS_DRAINING][()] for numbers in (before, after)] == [0.0, 1.0]
    assert [numbers[semantics.WORKERS][()] for numbers in (before, after)] == [1.0, 1.0]
