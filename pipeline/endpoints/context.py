"""What every endpoint is handed besides the exchange: the things that live as long as the process."""

from __future__ import annotations

import attrs
import httpx
from structlog.typing import FilteringBoundLogger

from pipeline.endpoints.running import Running
from pipeline.endpoints.turns import Turns
from pipeline.settings import EMULATOR, Settings
from pipeline.telemetry.prompt_history import PromptHistory
from pipeline.tokenizer import Tokenizer
from pipeline.upstream.client import UpstreamClient
from pipeline.version import version
from stages import counter
from stages.canonical.request import Request
from stages.mapper import Target


@attrs.frozen
class Context:
    """What every request is served with.

    Attributes:
        settings: what was set.
        upstream: where requests go.
        target: what the mapper must know about it.
        tokenizer: how tokens are counted here.
        log: the program's logger; content never reaches it.
        history: what is remembered of answered turns, to explain a missed cache; nothing is answered by it.
        version: our own.
        running: the requests that run now, and how many more may.
        turns: when a request is translated.
    """

    settings: Settings
    upstream: UpstreamClient
    target: Target
    tokenizer: Tokenizer
    log: FilteringBoundLogger
    version: str = attrs.field(factory=version)
    history: PromptHistory = attrs.field(factory=PromptHistory)
    running: Running = attrs.field(init=False, repr=False)
    turns: Turns = attrs.field(factory=Turns, init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        """Begin with no requests."""
        object.__setattr__(self, "running", Running(self.settings))

    @property
    def upstream_name(self) -> str:
        """Where requests go, as far as everybody may know: the host, or `emulator`."""
        url = self.settings.upstream.url
        return url if url == EMULATOR else httpx.URL(url).host

    @property
    def counting(self) -> str:
        """Where our own token counts come from."""
        return self.tokenizer.source

    def estimate(self, request: Request) -> int:
        """Size up a prompt cheaply, for `message_start`; the truth comes from the upstream at the end."""
        return counter.count(request, counter.estimate)

    async def count(self, request: Request) -> int:
        """Count a prompt with the best vocabulary at hand, without holding up other requests."""
        return await self.tokenizer.count(request)
