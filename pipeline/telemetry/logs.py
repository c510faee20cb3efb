"""Logs: structlog, for people or for machines, never with content."""

from __future__ import annotations

import contextlib
import logging
import sys
from typing import TextIO

import structlog
from structlog.typing import FilteringBoundLogger, Processor

from pipeline.telemetry.console import for_people


class ElsewhereError(Exception):
    """An exception in another process of ours.

    Attributes:
        site: where in the code, as `fault_site` said it there.
    """

    def __init__(self, site: str) -> None:
        super().__init__(site)
        self.site = site


class _Lines:
    """Writes lines, and loses those that nobody takes: a closed pipe or a full disk is no reason to fail a request."""

    def __init__(self, file: TextIO) -> None:
        self._file = file

    def msg(self, line: str) -> None:
        """Write a line, if that goes; a file that was closed raises `ValueError`."""
        with contextlib.suppress(OSError, ValueError):
            self._file.write(line + "\n")
            self._file.flush()

    debug = info = warning = error = critical = msg


def make_logger(log_format: str, log_level: str) -> FilteringBoundLogger:
    """Make the program's logger.

    Args:
        log_format: `console` for people, `json` for machines; both write to standard error.
        log_level: `debug`, `info`, `warning` or `error`; what is below costs one call and no formatting.
    """
    renderer: Processor = (
        structlog.processors.JSONRenderer()
        if log_format == "json"
        else for_people(structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), pad_event_to=10))
    )
    processors: list[Processor] = [
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=log_format == "json"),
        renderer,
    ]
    made = structlog.wrap_logger(
        _Lines(sys.stderr),
        processors=processors,
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, log_level.upper())),
    )
    logger: FilteringBoundLogger = made.bind()
    return logger


def fault_site(error: BaseException) -> str:
    """Say where a bug struck, in code alone: exception messages may quote content, line numbers cannot."""
    while isinstance(error, BaseExceptionGroup) and error.exceptions:
        error = error.exceptions[0]
    if isinstance(error, ElsewhereError):
        return error.site
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    if trace is None:
        return type(error).__name__
    code = trace.tb_frame.f_code
    module = trace.tb_frame.f_globals.get("__name__", "?")
    return f"{type(error).__name__} in {module}.{code.co_name}, line {trace.tb_lineno}"
