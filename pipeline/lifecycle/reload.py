"""Settings are read anew while requests run: all that were read are taken, or none.

Two processes do this, and differ only in what taking means: one that serves, and one that watches over workers.
"""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable

import attrs
import trio
from structlog.typing import FilteringBoundLogger

from pipeline.lifecycle.changes import changes
from pipeline.lifecycle.notify import Notifier
from pipeline.settings import ConfigurationError, Settings
from pipeline.telemetry import names
from pipeline.telemetry.logs import fault_site

ReadSettings = Callable[[], Settings]
"""Reads all settings again from where they came; raises `ConfigurationError` with all mistakes."""

Take = Callable[[Settings], Awaitable[None]]
"""Puts settings in, or raises `ConfigurationError` and changes nothing."""


@attrs.define(eq=False)
class Reload:
    """Reads the settings anew whenever it is asked to, one time after the other.

    Attributes:
        settings: those that are in.
        load: reads them.
        take: puts them in.
        log: the logger of this moment.
        notifier: tells the service manager.
    """

    settings: Settings
    load: ReadSettings
    take: Take
    log: Callable[[], FilteringBoundLogger]
    notifier: Notifier
    _send: trio.MemorySendChannel[None] = attrs.field(init=False)
    _asked: trio.MemoryReceiveChannel[None] = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        """Wait for the first wish."""
        self._send, self._asked = trio.open_memory_channel[None](math.inf)

    def ask(self) -> None:
        """Ask for a reload; does not wait. What is asked while one runs is read once more behind it."""
        if not self._asked.statistics().current_buffer_used:
            self._send.send_nowait(None)

    async def run(self) -> None:
        """Reload when asked, until cancelled; cancelled, what is being read is given up and nothing has changed."""
        async for _ in self._asked:
            await self._once()

    async def _once(self) -> None:
        self.notifier.reloading()
        try:
            change = changes(self.settings, await trio.to_thread.run_sync(self.load))
            await self.take(change.settings)
        except ConfigurationError as error:
            self.log().error(names.RELOAD_FAILED, why="; ".join(error.mistakes))
            self.notifier.ready("the new settings are wrong; those from before are in")
        except Exception as error:  # noqa: BLE001 - whatever it is, what runs goes on as it was
            self.log().error(names.RELOAD_FAILED, why=f"a fault of dragoman: {fault_site(error)}")
            self.notifier.ready("the new settings were not taken; those from before are in")
        else:
            self.settings = change.settings
            told = {"changed": ", ".join(change.taken), "needs_restart": ", ".join(change.fixed)}
            self.log().info(names.RELOADED, **{name: value for name, value in told.items() if value})
            self.notifier.ready("new settings are in")
