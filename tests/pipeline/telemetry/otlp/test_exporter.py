"""A server that exports, and a receiver on a socket of this machine."""

from __future__ import annotations

from functools import partial

import attrs
import h11
import httpx
import trio

from pipeline.settings import Settings, TelemetrySettings, UpstreamSettings
from tests.support.otlp import metrics_of, resource_of, spans_of
from tests.support.running import REQUEST
from tests.support.serving import serving


@attrs.define
class SocketReceiver:
    """Takes posts over HTTP/1.1.

    Attributes:
        posts: paths, headers and bodies, in order.
    """

    posts: list[tuple[str, dict[str, str], bytes]] = attrs.field(factory=list)

    async def serve(self, stream: trio.SocketStream) -> None:
        """Take the posts of one connection."""
        connection = h11.Connection(h11.SERVER)
        head: h11.Request | None = None
        body = b""
        while True:
            event = connection.next_event()
            if event is h11.NEED_DATA:
                connection.receive_data(await stream.receive_some())
            elif isinstance(event, h11.Request):
                head = event
            elif isinstance(event, h11.Data):
                body += event.data
            elif isinstance(event, h11.EndOfMessage) and head is not None:
                headers = {name.decode(): value.decode() for name, value in head.headers}
                self.posts.append((head.target.decode(), headers, body))
                answer = h11.Response(status_code=200, headers=[("content-length", "0")])
                await stream.send_all((connection.send(answer) or b"") + (connection.send(h11.EndOfMessage()) or b""))
                connection.start_next_cycle()
                body = b""
            else:
                return


async def test_what_a_server_sends() -> None:
    """Spans and metrics of its requests, at the latest when it ends; its name is ours unless somebody gave one."""
    receiver = SocketReceiver()
    async with trio.open_nursery() as nursery:
        (listener,) = await nursery.start(partial(trio.serve_tcp, receiver.serve, 0, host="127.0.0.1"))
        endpoint = f"http://127.0.0.1:{listener.socket.getsockname()[1]}"
        settings = Settings(upstream=UpstreamSettings(url="emulator"), telemetry=TelemetrySettings(endpoint=endpoint))
        async with serving(settings) as url, httpx.AsyncClient() as client:
            for _ in range(3):
                assert (await client.post(f"{url}/v1/messages", json=REQUEST)).status_code == 200
        nursery.cancel_scope.cancel()
    bodies = {path: body for path, _, body in receiver.posts}

    assert sorted(bodies) == ["/v1/metrics", "/v1/traces"]
    spans = [span.name for path, _, body in receiver.posts if path == "/v1/traces" for span in spans_of(body)]
    assert sorted(spans) == ["POST /v1/messages"] * 3 + ["chat gpt-6.2-sol"] * 3
    assert "dragoman.requests" in metrics_of(bodies["/v1/metrics"])
    assert resource_of(bodies["/v1/traces"])["service.name"] == "dragoman"
