"""The real Claude Code at a terminal, where it asks for more than without a person: `make client`."""

from __future__ import annotations

import pytest
import trio

from pipeline.emulator import EmulatorTransport
from tests.support.client_harness import harness, texts_of
from tests.support.directives import bash, script
from tests.support.terminal import DOWN, ENTER, ESCAPE, terminal

pytestmark = pytest.mark.client

GREETING = "Everything between you and it is the real thing."


async def test_a_session_gets_its_name() -> None:
    """The client asks for a title as JSON of one field, and the window shows it."""
    async with harness() as here, terminal(here.desk) as screen:
        await screen.ask('Hello there. [[aside {"title": "Greeting a friend"}]]')
        await screen.shows(GREETING)
        with trio.fail_after(10):
            while not any("Greeting a friend" in title for title in screen.titles):  # noqa: ASYNC110
                await trio.sleep(0.05)

        (naming,) = [each for each in here.upstream.messages if not each.request.get("tools")]
        layout = naming.request["text"]["format"]
        assert (layout["type"], list(layout["schema"]["properties"])) == ("json_schema", ["title"])
        assert len(here.about("Hello there.")) == 1
        here.audit()


async def test_escape_stops_an_answer_and_the_next_is_given() -> None:
    """Esc closes the upstream's connection at once; what was said until then stays in the conversation."""
    emulator = EmulatorTransport(delay=0)
    async with harness(inner=emulator) as here, terminal(here.desk) as screen:
        await screen.ask('Take your time. [[slow 0.1]] [[aside {"title": "Patience"}]]')
        with trio.fail_after(30):
            while not any(b"output_text.delta" in each.answer for each in here.about("Take your time.")):  # noqa: ASYNC110
                await trio.sleep(0.01)
        assert emulator.open_streams == 1
        await screen.press(ESCAPE)
        with trio.fail_after(1):
            while emulator.open_streams:  # noqa: ASYNC110 - another program leaves
                await trio.sleep(0.01)
        await screen.shows("Interrupted")
        await screen.ask("Quickly now. [[text]]")
        await screen.shows(GREETING)

        said = [item for item in here.about("Quickly now.")[-1].input if item.get("role") == "assistant"]
        assert texts_of(said[0])[0].startswith("Hello")
        assert not texts_of(said[0])[0].endswith(GREETING)
        assert here.upstream.messages[-1].status == 200
        here.audit(left=1)


async def test_a_person_is_asked_where_nobody_else_judges() -> None:
    """Auto mode, today's default, says that its check is not to be had, and asks; a yes runs the command."""
    async with harness() as here, terminal(here.desk) as screen:
        await screen.ask(script("Act.", bash("touch ../proof.txt; python3 -c 1")))
        await screen.answer("Enter to stay in auto mode", ENTER)
        await screen.shows("Do you want to proceed?")
        assert not (here.desk.home.parent / "proof.txt").exists()
        await screen.answer("Do you want to proceed?", DOWN, ENTER)
        await screen.shows("Done. 1 tool result came back.")

        assert (here.desk.home.parent / "proof.txt").exists()
        here.audit()
