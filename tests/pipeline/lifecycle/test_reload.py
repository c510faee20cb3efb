"""Reading settings anew, without a process and without a file."""

from __future__ import annotations

from typing import Any

import attrs
import pytest
import structlog.testing
import trio
import trio.testing

from pipeline.lifecycle.notify import Notifier
from pipeline.lifecycle.reload import Reload
from pipeline.settings import ConfigurationError, Settings

_NEW = Settings(mode="strict", port=1)


@attrs.define
class Scene:
    """What is read next, what was taken, and what was said."""

    read: Any = _NEW
    taken: list[Settings] = attrs.field(factory=list)
    log: Any = attrs.field(factory=structlog.testing.CapturingLogger)

    def load(self) -> Settings:
        """Read what is to be read."""
        if isinstance(self.read, Exception):
            raise self.read
        found: Settings = self.read
        return found

    async def take(self, settings: Settings) -> None:
        """Take them."""
        await trio.lowlevel.checkpoint()
        self.taken.append(settings)


async def _reloaded(scene: Scene) -> Reload:
    reload = Reload(Settings(), scene.load, scene.take, lambda: scene.log, Notifier())
    async with trio.open_nursery() as nursery:
        nursery.start_soon(reload.run)
        reload.ask()
        reload.ask()  # what is asked before the first has begun is one wish
        while not scene.log.calls:  # noqa: ASYNC110 - a thread reads
            await trio.sleep(0.001)
        await trio.testing.wait_all_tasks_blocked()
        nursery.cancel_scope.cancel()
    return reload


async def test_all_that_can_be_taken_is() -> None:
    """What needs a restart is named, and stays."""
    scene = Scene()
    reload = await _reloaded(scene)

    assert [settings.mode for settings in scene.taken] == ["strict"]
    assert scene.taken[0].port == Settings().port
    assert reload.settings == scene.taken[0]
    (call,) = scene.log.calls
    assert (call.method_name, call.args, call.kwargs) == (
        "info",
        ("reloaded",),
        {"changed": "mode", "needs_restart": "port"},
    )


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        (ConfigurationError(["one", "two"]), "one; two"),
        (KeyError("a secret"), "a fault of dragoman: KeyError in tests.pipeline.lifecycle.test_reload.load"),
    ],
)
async def test_what_fails_changes_nothing(wrong: Exception, why: str) -> None:
    """One line says why, in words of ours; what runs goes on, whatever it was."""
    scene = Scene(wrong)
    reload = await _reloaded(scene)

    assert not scene.taken
    assert reload.settings == Settings()
    (call,) = scene.log.calls
    assert (call.method_name, call.args) == ("error", ("reload_failed",))
    assert str(call.kwargs["why"]).startswith(why)
    assert "a secret" not in str(call.kwargs)
