"""Auto mode with a judge that the settings name, in the real Claude Code: `make client`."""

from __future__ import annotations

import re

import attrs
import httpx
import pytest

from pipeline.emulator import EmulatorTransport
from pipeline.settings import Safeguards
from stages.tools.hosted import verdicts
from stages.wire import json
from tests.end_to_end.test_client_sides import AUTO, DOUBTFUL, done
from tests.support.client_harness import EMULATED, harness
from tests.support.directives import script

pytestmark = pytest.mark.client

JUDGED = attrs.evolve(EMULATED, safeguards=Safeguards(model="gpt-5.4"))


class Judge(EmulatorTransport):
    """An emulator whose judge says the same about every call; None has the judge broken."""

    def __init__(self, outcome: str | None) -> None:
        """Take over the verdict."""
        super().__init__(delay=0)
        self._outcome = outcome

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Answer for the judge, or as the emulator does."""
        asked = (await request.aread()).decode()
        if verdicts.JUDGE_INSTRUCTION[:40] not in asked:
            return await super().handle_async_request(request)
        if self._outcome is None:
            return httpx.Response(500, json={"error": {"message": "It broke."}})
        ids = dict.fromkeys(re.findall(r"toolu_[A-Za-z0-9_]+", asked.rpartition("# The calls to judge")[2]))
        listed = [{"id": each, "outcome": self._outcome, "reason": "It touches what is not yours."} for each in ids]
        words = json.encode({"verdicts": listed}).decode()
        part = {"type": "output_text", "text": words, "annotations": []}
        item = {"type": "message", "id": "msg_1", "role": "assistant", "status": "completed", "content": [part]}
        return httpx.Response(200, json={"id": "resp_1", "object": "response", "status": "completed", "output": [item]})


@pytest.mark.parametrize(
    ("outcome", "ran", "words"),
    [("not_flagged", True, ""), ("flagged", False, "It touches what is not yours."), (None, False, "")],
)
async def test_auto_mode_with_a_judge(outcome: str | None, ran: bool, words: str) -> None:
    """What it does not flag is run without a question; what it flags, or what nobody judged, is not."""
    async with harness(settings=JUDGED, inner=Judge(outcome)) as here:
        run = await here.desk.ask(script("Act.", DOUBTFUL), *AUTO)

        assert done(here) is ran
        (result,) = run.blocks("user", "tool_result")
        assert bool(result.get("is_error")) is not ran
        assert words in str(result["content"])
