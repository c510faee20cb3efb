"""The server in front follows the settings, its certificate above all."""

from __future__ import annotations

import ssl
from pathlib import Path

import attrs
import pytest
import trio

from pipeline.commands.listening import bind, url_of
from pipeline.endpoints.application import application
from pipeline.front import Front, check_certificate
from pipeline.server.shutdown import Shutdown
from pipeline.service import open_service
from pipeline.settings import ConfigurationError, Settings, Timing, UpstreamSettings
from tests.support.certificates import Certified, certified
from tests.support.waiting import TIMEOUT


async def _shown(url: str, issued: Certified) -> bytes | None:
    """Shake hands, and return the certificate that was shown; raises where that is another authority's."""
    port = int(url.rpartition(":")[2])
    with trio.fail_after(TIMEOUT):
        stream = await trio.open_ssl_over_tcp_stream("127.0.0.1", port, ssl_context=issued.client_context("http/1.1"))
        async with stream:
            await stream.do_handshake()
            shown: bytes | None = stream.getpeercert(binary_form=True)
            return shown


async def test_a_certificate_is_renewed_in_place(tmp_path: Path) -> None:
    """The files have new contents, and the next handshake shows them; times follow as well."""
    first = certified(tmp_path)
    settings = Settings(upstream=UpstreamSettings(url="emulator"), log_level="error", **first.files)  # type: ignore[arg-type] # paths
    shutdown = Shutdown()
    with bind("127.0.0.1", 0) as listener:
        url = url_of(listener)
        async with open_service(settings) as context, trio.open_nursery() as nursery:
            front = Front(application(context), lambda: context, shutdown)
            nursery.start_soon(front.run, [listener])
            before = await _shown(url, first)
            second = certified(tmp_path)
            check_certificate(settings)
            front.follow(attrs.evolve(settings, timing=Timing(idle=7.0, shutdown_grace=5.0), draining="close"))
            assert await _shown(url, second) != before
            with pytest.raises((ssl.SSLError, trio.BrokenResourceError)):
                await _shown(url, first)
            server = front._server
            assert server is not None
            assert (server.terms.idle_patience, server.config.graceful_timeout, shutdown.closed) == (7.0, 5.0, True)
            shutdown.begin()


@pytest.mark.parametrize("content", ["", "no certificate"])
def test_a_certificate_that_cannot_be_used(content: str, tmp_path: Path) -> None:
    """A sentence that quotes nothing of the files."""
    issued = certified(tmp_path)
    Path(issued.files["keyfile"]).write_text(content)

    with pytest.raises(ConfigurationError) as wrong:
        check_certificate(Settings(**issued.files))  # type: ignore[arg-type] # paths
    assert wrong.value.mistakes[0].startswith("certfile, keyfile: cannot be used together: ")
    assert "no certificate" not in str(wrong.value)
