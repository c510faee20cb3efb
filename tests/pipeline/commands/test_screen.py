"""What commands say to the person at the terminal."""

from __future__ import annotations

import io

import pytest

from pipeline.commands.screen import Screen, complain, say, screen


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        """Claim so."""
        return True


@pytest.mark.parametrize(
    ("environment", "coloured"),
    [({}, True), ({"NO_COLOR": "1"}, False), ({"NO_COLOR": ""}, True), ({"TERM": "dumb"}, False)],
)
def test_colour_only_where_it_is_wanted(environment: dict[str, str], coloured: bool) -> None:
    """A terminal has colour unless its owner says no."""
    assert screen(Terminal(), environment).coloured is coloured


def test_no_colour_in_a_file() -> None:
    """What is redirected is for programs, or for later."""
    assert not screen(io.StringIO(), {}).coloured


@pytest.mark.parametrize("style", [Screen.dim, Screen.bold, Screen.green, Screen.yellow, Screen.red, Screen.cyan])
def test_without_colour_nothing_but_looks_is_lost(style: object) -> None:
    """Styles frame the text, or do nothing at all."""
    assert callable(style)

    assert style(Screen(io.StringIO()), "text") == "text"
    assert style(Screen(io.StringIO(), coloured=True), "text").startswith("\x1b[")


def test_letters_that_a_terminal_lacks_are_escaped() -> None:
    """An old encoding must not end the program."""
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="ascii")
    Screen(stream).line("né")

    assert raw.getvalue() == b"n\\xe9\n"


def test_both_streams(capsys: pytest.CaptureFixture[str]) -> None:
    """What went well goes to one, what went wrong to the other."""
    say("well")
    complain("wrong")

    assert capsys.readouterr() == ("well\n", "wrong\n")
