"""The redacting logger: facts in, one line out, whatever became of the request."""

from __future__ import annotations

from typing import Any

import pytest
import structlog
import trio
import trio.testing
from structlog.testing import CapturingLogger, LogCapture
from structlog.typing import FilteringBoundLogger

from pipeline.telemetry.prompt_history import PromptHistory
from pipeline.telemetry.request_cost import open_request_cost
from pipeline.telemetry.request_log import RequestLog
from stages.canonical.events import BlockStart, MessageEnd, TextDelta, TextStart, ThinkingStart, ToolUseStart, Usage
from stages.canonical.failure import Failure, Kind
from stages.redactor import redact


@pytest.fixture
def lines() -> LogCapture:
    """Give what a logger writes, as dictionaries."""
    return LogCapture()


@pytest.fixture
def logger(lines: LogCapture) -> FilteringBoundLogger:
    """Give a logger that writes to `lines`."""
    made: FilteringBoundLogger = structlog.wrap_logger(
        CapturingLogger(), processors=[lines], wrapper_class=structlog.make_filtering_bound_logger(0)
    ).bind()
    return made


class Clock:
    """A clock on which more than a second has passed at each look."""

    def __init__(self) -> None:
        self._time = 0.0

    def __call__(self) -> float:
        """Tell the time."""
        self._time += 1.23456
        return self._time


def _requests(lines: LogCapture) -> list[Any]:
    return [entry for entry in lines.entries if entry["event"] == "request"]


def test_a_message_is_one_line(logger: FilteringBoundLogger, lines: LogCapture) -> None:
    """The line tells how it ended, what it cost, and which blocks it had."""
    log = RequestLog(logger, {"request_id": "req_1", "model": "m"}, clock=Clock())
    starts: list[BlockStart] = [ThinkingStart(), TextStart(), ToolUseStart("a", "secret"), ToolUseStart("b", "secret")]
    for start in starts:
        log.hear(redact(start))
    log.hear(redact(MessageEnd("tool_use", Usage(7, 8, 9, 10))))
    log.write()

    (line,) = _requests(lines)
    assert line == {
        "event": "request",
        "log_level": "info",
        "outcome": "ok",
        "seconds": 2.469,
        "first_content_seconds": 1.235,
        "blocks": "text:1,thinking:1,tool_use:2",
        "request_id": "req_1",
        "model": "m",
        "stop_reason": "tool_use",
        "input_tokens": 7,
        "cache_read_input_tokens": 8,
        "cache_creation_input_tokens": 9,
        "output_tokens": 10,
        "left_out": 0,
    }


def test_a_failure_is_a_warning(logger: FilteringBoundLogger, lines: LogCapture) -> None:
    """A failure's kind is the outcome; its message, which may quote content, is not told."""
    log = RequestLog(logger, clock=Clock())
    log.hear(redact(Failure(Kind.RATE_LIMIT, "secret")))
    log.write()

    (line,) = _requests(lines)
    assert (line["log_level"], line["outcome"], line["status"]) == ("warning", "rate_limit", 429)
    assert "secret" not in repr(lines.entries)


def test_a_client_that_left_is_no_fault(logger: FilteringBoundLogger, lines: LogCapture) -> None:
    """Without an ending, the client has left."""
    RequestLog(logger, clock=Clock()).write()

    (line,) = _requests(lines)
    assert (line["log_level"], line["outcome"], line.get("blocks")) == ("info", "client_left", None)


def test_every_fact_is_there_for_debugging(logger: FilteringBoundLogger, lines: LogCapture) -> None:
    """Each fact is a line of its own at the lowest level, with the request's id."""
    log = RequestLog(logger, {"request_id": "req_1"}, clock=Clock())
    log.hear(redact(TextDelta("secret")))

    assert lines.entries == [{"event": "delta", "log_level": "debug", "request_id": "req_1", "characters": 6}]


async def test_an_account_adds_what_the_answer_cost(logger: FilteringBoundLogger, lines: LogCapture) -> None:
    """When it is over, and once; the turn is then known to those that follow."""
    history, body = PromptHistory(), {"model": "gpt-6.2-sol", "input": []}
    log = RequestLog(logger, request_cost=open_request_cost(history, body, "msg_1"))
    log.hear(redact(MessageEnd("end_turn", Usage(1_000, 3_000, 0, 100))))
    log.write()

    (line,) = _requests(lines)
    assert (line["cache_hit_rate"], line["cost_usd"]) == (0.75, 0.0033)
    assert history.message("msg_1") is not None


async def test_a_request_that_was_healed_is_not_known(logger: FilteringBoundLogger, lines: LogCapture) -> None:
    """Something else was sent in the end than what the account was opened for."""
    history = PromptHistory()
    log = RequestLog(logger, request_cost=open_request_cost(history, {"model": "gpt-6.2-sol", "input": []}, "msg_1"))
    log.fields["healed"] = "reasoning"
    log.hear(redact(MessageEnd("end_turn", Usage(1_000))))
    log.write()

    assert _requests(lines)[0]["cost_usd"] == 0.002
    assert history.message("msg_1") is None


async def test_the_time_until_the_line_is_written(
    logger: FilteringBoundLogger, lines: LogCapture, autojump_clock: trio.testing.MockClock
) -> None:
    """The line has the time to the first byte and to the end."""
    assert autojump_clock.rate == 0
    log = RequestLog(logger)
    await trio.sleep(1)
    log.speak(200)
    log.hear(redact(TextStart()))
    await trio.sleep(1.5)
    log.write()

    told = [(line["first_byte_seconds"], line["seconds"], line["blocks"]) for line in _requests(lines)]
    assert told == [(1.0, 2.5, "text:1")]


@pytest.mark.parametrize(
    ("cause", "outcome", "level"),
    [("shutdown", "server_stopped", "info"), ("total", "overdue", "warning"), ("dns", "overloaded", "warning")],
)
def test_what_we_caused_ourselves(
    cause: str, outcome: str, level: str, logger: FilteringBoundLogger, lines: LogCapture
) -> None:
    """Is never said to be the client's doing, nor the upstream's."""
    log = RequestLog(logger, clock=Clock())
    log.hear(redact(Failure(Kind.OVERLOADED, "secret", cause=cause)))
    log.write()

    (line,) = _requests(lines)
    assert (line["outcome"], line["cause"], line["log_level"]) == (outcome, cause, level)


def test_a_code_that_no_table_knows(logger: FilteringBoundLogger, lines: LogCapture) -> None:
    """Is the upstream's word, and not told."""
    log = RequestLog(logger, clock=Clock())
    log.hear(redact(Failure(Kind.UPSTREAM, "secret", cause="secret_code")))
    log.write()

    assert "secret" not in repr(_requests(lines))
