"""A real nginx with the shipped configuration, in a process of its own."""

from __future__ import annotations

import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pipeline.commands.listening import bind
from tests.conftest import ROOT
from tests.support.certificates import Certified, certified
from tests.support.process import PATIENCE

SHIPPED = ROOT / "deploy" / "nginx.conf"
"""The file that users are told to include."""

_AROUND = """
daemon off;
master_process off;
pid {folder}/pid;
error_log {folder}/error.log;
events {{ }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include {folder}/dragoman.conf;
}}
"""


@contextmanager
def nginx(folder: Path, ports: list[int]) -> Iterator[tuple[int, Certified]]:
    """Serve with the shipped file in front of servers on these ports; give nginx's own port and who vouches for it."""
    program = shutil.which("nginx", path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin:/opt/homebrew/bin")
    if program is None:
        pytest.skip("nginx is not installed")
    issued = certified(folder)
    with bind("127.0.0.1", 0) as listener:
        port = int(listener.getsockname()[1])
    servers = " ".join(f"server 127.0.0.1:{each};" for each in ports)
    replaced = {
        "listen 443 ssl http2;": f"listen 127.0.0.1:{port} ssl http2;",
        "server 127.0.0.1:8765;": servers,
        "/etc/ssl/dragoman/fullchain.pem": issued.files["certfile"],
        "/etc/ssl/dragoman/privkey.pem": issued.files["keyfile"],
    }
    text = SHIPPED.read_text()
    for shipped, here in replaced.items():
        assert text.count(shipped) == 1, shipped
        text = text.replace(shipped, here)
    (folder / "dragoman.conf").write_text(text)
    (folder / "nginx.conf").write_text(_AROUND.format(folder=folder))
    with subprocess.Popen([program, "-c", str(folder / "nginx.conf"), "-e", str(folder / "error.log")]) as process:
        try:
            yield port, issued
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(PATIENCE)
