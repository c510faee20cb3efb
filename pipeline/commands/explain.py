"""`dragoman explain`: what a request would become, and what became of each of its fields; nothing is sent."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from pipeline.commands import options
from pipeline.commands.screen import CommandError, Screen, screen


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    options.add_sources(parser)
    parser.add_argument("request", metavar="REQUEST.json", help="body of POST /v1/messages; - reads standard input")
    parser.add_argument("--json", action="store_true", help="the whole report and the upstream's body, as JSON")


def run(arguments: argparse.Namespace) -> int:
    """Explain one request; return 0, or 1 if it would be refused."""
    from pipeline.endpoints.translation import explanation
    from pipeline.named_upstream import target_of
    from stages.canonical.failure import Failure
    from stages.canonical.request import Caller
    from stages.decoder import decode_request
    from stages.mapper import map_request
    from stages.wire import json

    settings = options.settings_of(arguments)
    out, request = screen(sys.stdout), decode_request(_body(arguments.request), counting=True)
    if isinstance(request, Failure):
        out.line(f"refused with {request.kind.status} {request.kind.error_type}: {request.message}")
        return 1
    mapped = map_request(request, Caller(), target_of(settings), message_id="msg_explained")
    told = explanation(mapped)
    if arguments.json:
        out.line(json.encode(told).decode())
    else:
        _tell(out, told["report"], mapped.plan.upstream_model)
    return 0


def _body(name: str) -> bytes:
    try:
        return sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
    except OSError as error:
        raise CommandError(f"{name} cannot be read: {error.strerror}") from error


def _tell(out: Screen, report: list[dict[str, str]], model: str) -> None:
    out.line(f"goes to {out.bold(model)}")
    width = max((len(note["path"]) for note in report), default=0)
    for note in report:
        out.line(f"{note['fate']:<12} {note['path']:<{width}}  {note['reason']}")
