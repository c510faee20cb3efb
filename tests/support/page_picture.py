"""Pictures of the page under load, as a browser draws it in light and dark: `make picture`.

`python -m tests.support.page_picture FOLDER 400` draws it as narrow as a telephone.

An hour's requests are made in a few seconds, by the real application on the emulator, and each minute's noted in its
own place; what runs now runs for real.
"""

from __future__ import annotations

import random
import sys
import tempfile
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import attrs
import trio

from pipeline.commands.listening import bind, url_of
from pipeline.emulator import EmulatorTransport
from pipeline.endpoints.application import application
from pipeline.endpoints.context import Context
from pipeline.server.shutdown import Shutdown
from pipeline.service import listen, open_service
from pipeline.settings import Secret, Settings, UpstreamSettings
from pipeline.settings.client_keys import client_keys
from pipeline.telemetry.views import views_of
from tests.support.browser import browser
from tests.support.client import MemoryClient

CLIENTS: Mapping[str, tuple[str, float]] = {
    "alice": ("claude-opus-5-5", 0.45),
    "bob": ("claude-sonnet-5-5", 0.35),
    "ci": ("claude-haiku-5-5", 0.20),
}
"""Who asks, for which model, and for how much of it all."""

_KEYS = {name: f"sk-of-{name}" for name in CLIENTS}
_OPERATOR = "sk-of-an-operator"
_MINUTES, _TURNS = 60, 24  # turns until a conversation begins anew
_LULL = range(33, 39)  # minutes in which nobody works
_AT_ONCE = 7
_OK = 200
_FAULTS = {"[[error 500]]": 0.012, "[[error 429]]": 0.012}
_PICTURES = {"page.png": "light", "page-dark.png": "dark"}
_WIDTH = 1200


@attrs.define
class Person:
    """Who talks with a model: a conversation that grows turn by turn."""

    name: str
    model: str
    chance: random.Random
    said: list[dict[str, Any]] = attrs.field(factory=list)

    def request(self, words: str = "") -> dict[str, Any]:
        """Make the next turn, or the first of a new conversation."""
        if len(self.said) >= 2 * _TURNS:
            self.said.clear()
        text = words or "and then? " * self.chance.randint(5, 200)
        self.said.append({"role": "user", "content": text})
        marked = {"role": "user", "content": [{"type": "text", "text": text, "cache_control": _MARK}]}
        system = [{"type": "text", "text": "What matters here. " * 900, "cache_control": _MARK}]
        messages = [*self.said[:-1], marked]
        return {"model": self.model, "max_tokens": 4000, "stream": True, "system": system, "messages": messages}

    async def ask(self, client: MemoryClient, words: str = "") -> None:
        """Have a turn answered, and keep the answer for the next."""
        headers = {"x-api-key": _KEYS[self.name], "x-claude-code-session-id": self.name}
        reply = await client.messages(self.request(words), headers)
        texts = [event.get("delta", {}).get("text", "") for event in reply.events()] if reply.status == _OK else []
        if any(texts):
            self.said.append({"role": "assistant", "content": "".join(texts)})
        else:
            self.said.pop()


_MARK = {"type": "ephemeral"}


async def fill(context: Context) -> None:
    """Make an hour's requests, and note them minute by minute as if the hour were over."""
    chance = random.Random(7)
    client = MemoryClient(application(context))
    people = [Person(name, model, chance) for name, (model, _) in CLIENTS.items()]
    weights = [share for _, share in CLIENTS.values()]
    now = trio.current_time()
    for minute in range(_MINUTES):
        busy = 0 if minute in _LULL else chance.randint(2, 12)
        for person in chance.choices(people, weights, k=busy):
            (words,) = chance.choices(["", *_FAULTS], [1 - sum(_FAULTS.values()), *_FAULTS.values()])
            await person.ask(client, words)
        seen = views_of(context.numbers())
        for ring in (context.recent.hour, context.recent.day):
            ring.note(seen, now - 60 * (_MINUTES - 1 - minute))


async def take(folder: Path, width: int) -> None:
    """Serve, fill an hour, keep some streams open, and take the page's picture in each scheme."""
    settings = Settings(
        upstream=UpstreamSettings(url="emulator"),
        client_keys=client_keys(_KEYS),
        page_key=Secret(_OPERATOR),
        log_level="error",
    )
    async with open_service(settings, transport=EmulatorTransport(delay=0)) as context, trio.open_nursery() as nursery:
        await fill(context)
        shutdown = Shutdown()
        with bind("127.0.0.1", 0) as listener:
            url = url_of(listener)
            nursery.start_soon(partial(listen, context, sockets=[listener], shutdown=shutdown))
            for _ in range(_AT_ONCE):
                person = Person("alice", "claude-opus-5-5", random.Random(1))
                nursery.start_soon(person.ask, MemoryClient(application(context)), "[[slow 600]]")
            with tempfile.TemporaryDirectory() as profile:
                await _pictures(Path(profile), f"{url}/dragoman/", folder, width)
            nursery.cancel_scope.cancel()


async def _pictures(profile: Path, url: str, folder: Path, width: int) -> None:
    async with browser(profile) as visit:
        await visit.do("Network.enable")
        await visit.do("Network.setExtraHTTPHeaders", headers={"authorization": f"Bearer {_OPERATOR}"})
        size = {"width": width, "height": 1, "deviceScaleFactor": 1, "mobile": False}
        await visit.do("Emulation.setDeviceMetricsOverride", **size)
        await visit.do("Page.navigate", url=url)
        await visit.sees(f"document.body?.textContent.includes('streaming{_AT_ONCE}')")
        height = await visit.look("document.body.offsetHeight")
        for name, scheme in _PICTURES.items():
            await visit.picture(folder / name, scheme=scheme, width=width, height=int(height))


if __name__ == "__main__":
    trio.run(take, Path(sys.argv[1]).resolve(), int(sys.argv[2]) if sys.argv[2:] else _WIDTH)
