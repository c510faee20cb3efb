"""Settings that change while requests run: each request is served to its end with those that it began with.

What is made of one set of settings (the way to the upstream, what is known about it, the rules of the edge) is a
generation. A reload opens the next one whole before anybody notices; from then on new requests get that, and the old
one is closed when its last request is over. What belongs to the process (places, counts, vocabularies) stays.
"""

from __future__ import annotations

import attrs
import trio

from pipeline.endpoints.application import Application, application
from pipeline.endpoints.context import Context
from pipeline.endpoints.exchange import Receive, Scope, Send
from pipeline.service import LOOK_BEFORE_READY, Shared, open_context
from pipeline.settings import Settings
from stages.tables.model_registry import ModelRegistry


@attrs.define(eq=False)
class _Generation:
    """One set of settings, and who is served with them.

    Attributes:
        context: what is made of them.
        app: answers with that.
        requests: how many it serves.
        over: set when another has taken its place and its last request has ended.
    """

    context: Context
    app: Application
    requests: int = 0
    over: trio.Event = attrs.field(factory=trio.Event)


@attrs.define(eq=False)
class Generations:
    """The ASGI application of a server whose settings may be replaced.

    Args:
        shared: what belongs to the process.
        nursery: what generations live in; cancelled, it closes them.
    """

    _shared: Shared
    _nursery: trio.Nursery
    _living: list[_Generation] = attrs.field(factory=list, init=False)

    @property
    def context(self) -> Context:
        """What new requests are served with, once settings are in."""
        return self._living[-1].context

    @property
    def models(self) -> ModelRegistry:
        """What is known about models by now."""
        return (self.context.discovery or self.context).target.models

    async def replace(self, settings: Settings) -> None:
        """Serve new requests with these settings; returns when that is so.

        Waits a moment for a look at the upstream. Cancelled, or failed, nothing has changed.

        Raises:
            ConfigurationError: They name something that cannot be used.
        """
        await self._nursery.start(self._live, settings)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request with the settings of this moment."""
        generation = self._living[-1]
        if scope["type"] == "lifespan":  # as long as the process; it asks for nothing of the upstream
            await generation.app(scope, receive, send)
            return
        generation.requests += 1
        try:
            await generation.app(scope, receive, send)
        finally:
            generation.requests -= 1
            self._close_what_is_over()

    async def _live(self, settings: Settings, task_status: trio.TaskStatus[None]) -> None:
        async with open_context(settings, self._shared) as context:
            if context.discovery is not None:
                with trio.move_on_after(LOOK_BEFORE_READY):
                    await context.discovery.look()
            made = context.after(self.context) if self._living else context
            generation = _Generation(made, application(made))
            self._living.append(generation)
            self._close_what_is_over()
            task_status.started()
            await generation.over.wait()

    def _close_what_is_over(self) -> None:
        for generation in self._living[:-1]:
            if not generation.requests:
                self._living.remove(generation)
                generation.over.set()
