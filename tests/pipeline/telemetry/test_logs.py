"""Logs: both forms, the level's filter, and faults that are named without their messages."""

from __future__ import annotations

import errno
import io
import json
import sys
from collections.abc import Callable

import pytest

from pipeline.telemetry.logs import fault_site, make_logger


def test_json_lines_hold_the_fields(capsys: pytest.CaptureFixture[str]) -> None:
    """A machine reads one object a line, with level, time in UTC, event and fields."""
    make_logger("json", "info").info("request", outcome="ok", seconds=1.5)

    line = json.loads(capsys.readouterr().err)
    assert (line["event"], line["level"], line["outcome"], line["seconds"]) == ("request", "info", "ok", 1.5)
    assert line["timestamp"].endswith("Z")


def test_console_lines_are_for_people(capsys: pytest.CaptureFixture[str]) -> None:
    """A person reads the event and its fields as words; without a terminal there are no colours."""
    make_logger("console", "info").warning("learnt", refused="summary")

    line = capsys.readouterr().err
    assert "learnt" in line
    assert "refused=summary" in line
    assert "\x1b" not in line


@pytest.mark.parametrize(
    ("level", "heard"),
    [
        ("debug", ["debug", "info", "warning", "error"]),
        ("info", ["info", "warning", "error"]),
        ("warning", ["warning", "error"]),
        ("error", ["error"]),
    ],
)
def test_what_is_below_the_level_is_not_written(
    level: str, heard: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """Each level lets itself and all that is graver through."""
    logger = make_logger("json", level)
    for name in ("debug", "info", "warning", "error"):
        getattr(logger, name)(name)

    assert [json.loads(line)["event"] for line in capsys.readouterr().err.splitlines()] == heard


def test_nothing_is_written_to_standard_output(capsys: pytest.CaptureFixture[str]) -> None:
    """Standard output belongs to the commands."""
    make_logger("console", "info").info("started")

    assert capsys.readouterr().out == ""


class _Full(io.StringIO):
    """A file on a full disk."""

    def write(self, _: str) -> int:
        """Fail."""
        raise OSError(errno.ENOSPC, "no space")


class _Closed(io.StringIO):
    """A pipe that nobody reads."""

    def flush(self) -> None:
        """Fail late, as a buffer does."""
        raise BrokenPipeError


@pytest.mark.parametrize("form", ["console", "json"])
@pytest.mark.parametrize("broken", [_Full, _Closed, io.StringIO])
def test_logging_never_raises(form: str, broken: type[io.StringIO], monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is wrong with the place where logs go, at every level."""
    file = broken()
    monkeypatch.setattr(sys, "stderr", file)
    logger = make_logger(form, "debug")
    if broken is io.StringIO:
        file.close()
    for level in ("debug", "info", "warning", "error", "critical"):
        getattr(logger, level)("request", outcome="ok")


def _strike() -> None:
    raise ValueError("the user's secret")


def _caught(bug: Callable[[], None]) -> BaseException:
    with pytest.raises(BaseException) as caught:  # noqa: PT011 - groups and plain errors alike
        bug()
    return caught.value


def _in_nested_groups() -> None:
    inner = BaseExceptionGroup("inner", [_caught(_strike), TypeError()])
    raise BaseExceptionGroup("outer secret", [inner])


@pytest.mark.parametrize("bug", [_strike, _in_nested_groups])
def test_a_fault_is_named_by_its_place(bug: Callable[[], None]) -> None:
    """The innermost frame is named, however deep in groups the error lies; its message is not."""
    site = fault_site(_caught(bug))

    assert site.startswith(f"ValueError in {__name__}._strike, line ")
    assert "secret" not in site


def test_a_fault_without_a_place_is_named_by_its_class() -> None:
    """An exception that was never raised has no trace."""
    assert fault_site(KeyError("secret")) == "KeyError"
