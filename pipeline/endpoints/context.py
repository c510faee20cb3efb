"""What every endpoint is handed besides the exchange: the things that live as long as the process."""

from __future__ import annotations

import attrs
import httpx
from structlog.typing import FilteringBoundLogger

from pipeline.lessons import Lessons
from pipeline.settings import EMULATOR, Settings
from pipeline.telemetry.prompt_history import PromptHistory
from pipeline.tokenizer import Tokenizer
from pipeline.upstream.client import UpstreamClient
from pipeline.version import version
from stages import counter
from stages.canonical.request import Request
from stages.mapper import Target
from stages.tables import models


@attrs.frozen
class Context:
    """What every request is served with.

    Attributes:
        settings: what was set.
        upstream: where requests go.
        target: what the mapper must know about it.
        tokenizer: how tokens are counted here.
        log: the program's logger; content never reaches it.
        lessons: what the upstream was found to refuse, by model.
        history: what is remembered of answered turns, to explain a missed cache; nothing is answered by it.
        version: our own.
    """

    settings: Settings
    upstream: UpstreamClient
    target: Target
    tokenizer: Tokenizer
    log: FilteringBoundLogger
    version: str = attrs.field(factory=version)
    lessons: Lessons = attrs.field(factory=Lessons)
    history: PromptHistory = attrs.field(factory=PromptHistory)

    @property
    def upstream_name(self) -> str:
        """Where requests go, as far as everybody may know: the host, or `emulator`."""
        url = self.settings.upstream.url
        return url if url == EMULATOR else httpx.URL(url).host

    @property
    def counting(self) -> str:
        """Where our own token counts come from."""
        return self.tokenizer.source

    def target_for(self, request: Request) -> Target:
        """Where a request goes, and what its model was found to take."""
        return self.lessons.applied(self.target, models.upstream_model(request.model, self.target.models))

    def estimate(self, request: Request) -> int:
        """Size up a prompt cheaply, for `message_start`; the truth comes from the upstream at the end."""
        return counter.count(request, counter.estimate)

    async def count(self, request: Request) -> int:
        """Count a prompt with the best vocabulary at hand, without holding up other requests."""
        return await self.tokenizer.count(request)
