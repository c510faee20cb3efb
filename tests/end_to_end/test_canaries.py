"""Law 7 on a real process: a marker in every place that others can fill, sought in everything that the process tells.

The laws look at one request at a time, in this process. Here whatever writes is at work: a server that logs at level
`debug`, between an upstream and clients on sockets that put the marker wherever they can. Answers are theirs, and may
hold it; logs and metrics may not.
"""

from __future__ import annotations

import gzip
import http.client
import http.server
import itertools
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import pytest

from pipeline.settings.client_keys import hashed
from stages.wire import json
from tests.support.canaries import HEADERS, MARK, REQUEST, UPSTREAMS
from tests.support.otlp import spans_of
from tests.support.process import PATIENCE, Running, serving_process

KEY = "sk-of-a-client"
KEYED = {"x-api-key": KEY}
_STEPS = [script for scripts in UPSTREAMS.values() for script in scripts if not isinstance(script, Exception)]
FORM = (
    f'--{MARK}\r\nContent-Disposition: form-data; name="file"; filename="{MARK}.txt"\r\nContent-Type: text/{MARK}\r\n'
    f"\r\n{MARK}\r\n--{MARK}--\r\n"
).encode()
BATCH = json.encode({"requests": [{"custom_id": f"{MARK}-{at}", "params": REQUEST} for at in range(3)], MARK: MARK})

Asked = tuple[str, str, bytes, dict[str, str]]

ASKED: list[Asked] = [
    *[("POST", f"/v1/messages?{MARK}={MARK}", json.encode(REQUEST | {"stream": True}), KEYED) for _ in _STEPS],
    *[("POST", "/v1/messages", json.encode(REQUEST), KEYED) for _ in _STEPS],
    ("POST", "/v1/messages", json.encode(REQUEST), {}),  # the key is the marker
    ("POST", "/v1/messages", json.encode(REQUEST), {**KEYED, "dragoman-mode": "strict"}),
    ("POST", "/v1/messages", json.encode({**REQUEST, "model": MARK}), KEYED),
    ("POST", "/v1/messages", json.encode({**REQUEST, "messages": [{"role": MARK, "content": MARK}]}), KEYED),
    ("POST", "/v1/messages", f'{{"{MARK}'.encode(), KEYED),
    ("POST", "/v1/messages", MARK.encode(), {**KEYED, "content-encoding": MARK}),
    ("POST", "/v1/messages/count_tokens", json.encode(REQUEST), KEYED),
    ("POST", "/v1/messages/explain", json.encode(REQUEST), KEYED),
    ("POST", "/v1/files", FORM, {**KEYED, "content-type": f"multipart/form-data; boundary={MARK}"}),
    ("GET", f"/v1/files/{MARK}", b"", KEYED),
    ("GET", f"/v1/files/{MARK}/content", b"", KEYED),
    ("DELETE", f"/v1/files/{MARK}", b"", KEYED),
    ("GET", f"/v1/files?after_id={MARK}", b"", KEYED),
    ("POST", "/v1/messages/batches", BATCH, KEYED),
    ("GET", f"/v1/messages/batches/{MARK}/results", b"", KEYED),
    ("POST", f"/v1/messages/batches/{MARK}/cancel", b"", KEYED),
    ("GET", f"/v1/models/{MARK}", b"", KEYED),
    ("GET", f"/{MARK}", b"", KEYED),
    (MARK.upper(), "/v1/messages", b"", KEYED),
    ("GET", "/healthz", b"", {"host": MARK}),
]
"""Method, path, body, and headers; all others have the marker as their value."""


class _Upstream(http.server.BaseHTTPRequestHandler):
    """Answers each request for a response with the next script, and all else with an error; the marker is in both.

    It takes spans and metrics as well, and keeps them.
    """

    scripts = itertools.cycle(_STEPS)
    telemetry: ClassVar[dict[str, list[bytes]]] = {"/v1/traces": [], "/v1/metrics": []}

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        if self.path in self.telemetry:
            packed = self.headers.get("content-encoding") == "gzip"
            self.telemetry[self.path].append(gzip.decompress(body) if packed else body)
            self.send_response(200)
            self.send_header("content-length", "0")
            self.end_headers()
            return
        script = next(self.scripts)
        self.send_response(script.status)
        for name, value in {**script.headers, "x-request-id": MARK, "x-ratelimit-limit-requests": MARK}.items():
            self.send_header(name, value)
        self.end_headers()
        for step in script.steps:
            if isinstance(step, bytes):
                self.wfile.write(step)
            elif isinstance(step, Exception):
                break
        self.close_connection = True

    def do_GET(self) -> None:
        self.send_error(404, MARK, MARK)

    def do_DELETE(self) -> None:
        self.do_GET()

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def upstream() -> Iterator[str]:
    """Serve until the tests are over, and give the base URL."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Upstream) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}/v1"
        server.shutdown()
        thread.join()


def _ask(served: Running, asked: Asked) -> tuple[int, bytes]:
    method, path, body, headers = asked
    connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=PATIENCE)
    try:
        connection.request(method, path, body or None, headers | {n: v for n, v in HEADERS.items() if n not in headers})
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def _places(asked: Asked) -> int:
    """How often a request says the marker."""
    method, path, body, headers = asked
    return f"{method} {path} {headers} {HEADERS}".count(MARK) + body.count(MARK.encode())


def test_nothing_that_the_process_tells_holds_a_word_of_others(tmp_path: Path, upstream: str) -> None:
    """Log at level `debug`, standard output and error, spans, metrics, the page, what a status line asks for."""
    settings: dict[str, Any] = {
        "log_level": "debug",
        "upstream_url": upstream,
        "upstream_profile": "openai",
        "upstream_retries": 0,
        "telemetry_endpoint": upstream.removesuffix("/v1"),
        "client_keys": f"alice={hashed(KEY)}",
        "page_key": "op",
    }
    with serving_process(tmp_path, **settings) as served:
        answers = [_ask(served, asked)[0] for asked in ASKED]
        metrics = _ask(served, ("GET", "/metrics", b"", KEYED))[1].decode()
        page = _ask(served, ("GET", "/dragoman/?span=day", b"", {"x-api-key": "op"}))[1].decode()
        usage = _ask(served, ("GET", f"/dragoman/usage?session={MARK}", b"", KEYED))[1].decode()
        assert served.terminate() == 0
        log = served.logged()

    assert sum(map(_places, ASKED)) > 1_000
    assert {200, 400, 401, 404, 429, 500} <= set(answers)
    assert log.count('"client": "alice"') > len(_STEPS)
    assert '"event": "fault"' not in log
    assert "dragoman_requests_total" in metrics
    assert "Tokens and cost by client" in page
    assert usage == '{"type":"usage","models":[]}'
    spans, exported = _Upstream.telemetry.values()
    names = {span.name.split()[0] for body in spans for span in spans_of(body)}
    assert {"POST", "GET", "chat"} <= names
    assert sum(len(spans_of(body)) for body in spans) > len(ASKED)
    assert exported
    for told in (metrics, page, usage, *map(repr, (*spans, *exported))):
        assert MARK.lower() not in told.lower()
    assert [line for line in log.lower().splitlines() if MARK.lower() in line] == []
