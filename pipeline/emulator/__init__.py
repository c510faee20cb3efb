"""An embedded emulator of the OpenAI Responses API that follows scenarios: for the demo, for tests, and without a key.

It imports `stages.wire` alone: an oracle must not share the translator's opinions.
"""

from __future__ import annotations

from pipeline.emulator.answer import EmulatedAnswer, answer
from pipeline.emulator.server import emulator_application
from pipeline.emulator.transport import EmulatorTransport

__all__ = ["EmulatedAnswer", "EmulatorTransport", "answer", "emulator_application"]
