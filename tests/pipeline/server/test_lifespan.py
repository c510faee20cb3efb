"""The lifespan: an application agrees, refuses, says nothing, or knows none."""

from __future__ import annotations

from typing import Any

import pytest
import trio

from pipeline.server.lifespan import CONSENT_TIMEOUT, Lifespan, LifespanError


def speaking(*outcomes: str) -> Any:
    """Make an application that answers each phase with one of these words, and then lives on."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        scope["state"]["alive"] = True
        for outcome in outcomes:
            phase = (await receive())["type"]
            await send({"type": f"{phase}.{outcome}"})
        await trio.sleep_forever()

    return app


async def unknowing(scope: Any, receive: Any, send: Any) -> None:  # noqa: ARG001
    """Know no lifespan, as the specification allows."""
    raise KeyError(scope["type"])


async def asked(app: Any, *phases: str) -> dict[str, Any]:
    """Ask an application; return its state."""
    state: dict[str, Any] = {}
    lifespan = Lifespan(app, state)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(lifespan.run)
        for phase in phases:
            await lifespan.ask(phase)
        nursery.cancel_scope.cancel()
    return state


async def test_an_application_agrees() -> None:
    """To its start and to its end, and what it puts into the state is there."""
    assert await asked(speaking("complete", "complete"), "startup", "shutdown") == {"alive": True}


@pytest.mark.parametrize("outcomes", [("failed",), ("complete", "failed")])
async def test_an_application_refuses(outcomes: tuple[str, ...]) -> None:
    """Its refusal ends the server."""
    with pytest.raises(ExceptionGroup) as caught:
        await asked(speaking(*outcomes), "startup", "shutdown")
    assert caught.group_contains(LifespanError)


async def test_an_application_without_lifespan_is_served() -> None:
    """Its exception is the way to say that it knows none."""
    assert await asked(unknowing, "startup", "shutdown") == {}


async def test_an_application_says_nothing(autojump_clock: trio.testing.MockClock) -> None:
    """It is waited for, and not for ever."""
    with pytest.raises(ExceptionGroup) as caught:
        await asked(speaking(), "startup")
    assert caught.group_contains(trio.TooSlowError)
    assert autojump_clock.current_time() >= CONSENT_TIMEOUT


async def test_a_fault_behind_the_start_is_not_hidden() -> None:
    """What strikes an application that has agreed is no way to say anything."""

    async def failing(scope: Any, receive: Any, send: Any) -> None:  # noqa: ARG001
        await receive()
        await send({"type": "lifespan.startup.complete"})
        raise OSError

    with pytest.raises(ExceptionGroup) as caught:
        await asked(failing, "startup", "shutdown")
    assert caught.group_contains(OSError)
