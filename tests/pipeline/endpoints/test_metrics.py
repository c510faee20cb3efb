"""What a scrape of `/metrics` reads."""

from __future__ import annotations

import attrs
from prometheus_client.parser import text_string_to_metric_families

from pipeline.emulator import EmulatorTransport
from pipeline.endpoints.application import application
from tests.support.client import MemoryClient
from tests.support.running import REQUEST, client_of, context_of


async def test_a_scrape() -> None:
    """Prometheus' own parser reads it: one request that was answered, one that was refused, and one that runs."""
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
    assert [sample.value for sample in samples if sample.name == "dragoman_requests_running"] == [1.0]
    assert any(sample.name == "gen_ai_server_request_duration_seconds_count" for sample in samples)
    assert b"secret" not in reply.body


async def test_several_workers() -> None:
    """Each knows its own numbers alone, so none of them tells a part as the whole."""
    context = context_of(EmulatorTransport(delay=0))
    several = attrs.evolve(context, settings=attrs.evolve(context.settings, workers=2))
    assert (await MemoryClient(application(several)).request("GET", "/metrics")).status == 404
