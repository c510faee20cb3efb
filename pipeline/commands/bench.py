"""`dragoman bench`: what the translation and a whole request cost on this machine."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import attrs
import trio

from pipeline.bench import children, cpu, in_process, report
from pipeline.bench.load import Address
from pipeline.bench.measuring import BenchTarget, Measured, UpstreamProcess, run_workloads
from pipeline.bench.workloads import WORKLOADS, BenchError, Workload, chosen
from pipeline.commands.screen import CommandError, Screen, complain, screen
from stages.wire import json

if TYPE_CHECKING:
    import argparse

_MAX_ROUNDS = 50
_SPARE_FILES = 100
_KINDS = ("text", "arguments")


T = TypeVar("T")


@attrs.define
class Progress:
    """Says on standard error how far a measurement is; the figures alone go to standard output.

    Attributes:
        total: how many steps there are.
        about: what they measure together, said before the first.
    """

    total: int
    about: str
    _done: int = attrs.field(default=0, init=False)

    def __attrs_post_init__(self) -> None:
        """Say what begins."""
        self._say(f"{self.about}: {self.total} measurements")

    def after(self, found: T, step: str) -> T:
        """Say that a step is done, and which; return what it has found."""
        self._done += 1
        self._say(f"{self._done}/{self.total}  {step}")
        return found

    @staticmethod
    def _say(text: str) -> None:
        err = screen(sys.stderr)
        err.line(err.dim(text))


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument(
        "--scenarios",
        default=",".join(WORKLOADS),
        metavar="A,B",
        help="loads to put on a server (%(default)s); `none` for the translation alone",
    )
    parser.add_argument("--rounds", type=int, default=1, metavar="N", help="times each load; medians are shown")
    parser.add_argument("--json", metavar="FILE", help="write all figures to a file as well")
    parser.add_argument(
        "--against",
        metavar="URL",
        help="another server on this machine under the same loads, in turns; its upstream must be the bench's",
    )
    parser.add_argument(
        "--upstream-port", type=int, default=0, metavar="N", help="port of the bench's upstream (any that is free)"
    )
    parser.add_argument("--no-stages", action="store_true", help="leave out the cost of the translation alone")


def run(arguments: argparse.Namespace) -> int:
    """Measure and report; return 1 if any request of a load on our own server failed, else 0."""
    out = screen()
    try:
        names = [] if arguments.scenarios == "none" else arguments.scenarios.split(",")
        scenarios = _possible(chosen(names))
        other = _check(arguments)
        requests, streams = ([], []) if arguments.no_stages else _stages(out)
        runs = _loads(out, scenarios, arguments.rounds, arguments.upstream_port, other) if scenarios else []
    except BenchError as error:
        raise CommandError(str(error)) from error
    if arguments.json:
        _write(arguments.json, json.encode(report.as_json(requests, streams, runs)))
    return int(any(measured.failed for measured in runs if measured.target == "dragoman"))


def _check(arguments: argparse.Namespace) -> str | None:
    if not 1 <= arguments.rounds <= _MAX_ROUNDS:
        raise CommandError(f"--rounds must be a number from 1 to {_MAX_ROUNDS}")
    other: str | None = arguments.against
    if other is not None:
        Address.of(other)
        if not arguments.upstream_port:
            raise CommandError(
                "--against needs --upstream-port N: start the other server with http://127.0.0.1:N/v1 as its upstream"
            )
    return other


def _possible(scenarios: Mapping[str, Workload]) -> dict[str, Workload]:
    """Leave out what this system has not enough files for, and say so."""
    most = max((scenario.descriptors for scenario in scenarios.values()), default=0)
    limit = children.raise_file_limit(most + _SPARE_FILES)
    for name, scenario in scenarios.items():
        if scenario.descriptors > limit:
            complain(f"{name} is left out: it needs {scenario.descriptors} open files, the limit is {limit}")
    return {name: scenario for name, scenario in scenarios.items() if scenario.descriptors <= limit}


def _stages(out: Screen) -> tuple[list[in_process.RequestCpu], list[in_process.StreamCpu]]:
    progress = Progress(len(in_process.SIZES) + len(_KINDS), "the translation alone")
    requests = [progress.after(in_process.request_cpu(size), f"requests of {size} bytes") for size in in_process.SIZES]
    streams = [progress.after(in_process.stream_cpu(kind), f"streams of {kind}") for kind in _KINDS]
    for line in report.stage_lines(requests, streams):
        out.line(line)
    out.line()
    return requests, streams


def _loads(
    out: Screen, scenarios: Mapping[str, Workload], rounds: int, upstream_port: int, other: str | None
) -> list[Measured]:
    with contextlib.ExitStack() as stack:
        upstream_url, upstream_pid = stack.enter_context(children.upstream(upstream_port))
        url, pid = stack.enter_context(children.dragoman(upstream_url))
        targets = [BenchTarget("dragoman", Address.of(url), (pid,))]
        if other is not None:
            address = Address.of(other)
            targets.append(BenchTarget(other, address, cpu.listeners(address.port)))
        upstream = UpstreamProcess(Address.of(upstream_url), upstream_pid)
        progress = Progress(len(targets) * len(scenarios) * rounds, "loads on a real server")
        runs = trio.run(run_workloads, targets, upstream, scenarios, rounds, partial(_show, progress))
    out.line()
    for line in report.load_lines(runs):
        out.line(line)
    return runs


def _show(progress: Progress, measured: Measured) -> None:
    """Say that something happens: a round takes half a minute."""
    about = WORKLOADS[measured.scenario].about
    progress.after(measured, f"{measured.scenario}: {about}: {measured.seconds:.1f} s ({measured.target})")


def _write(path: str, data: bytes) -> None:
    try:
        Path(path).write_bytes(data + b"\n")
    except OSError as error:
        raise CommandError(f"cannot write {path}: {error.strerror}") from error
