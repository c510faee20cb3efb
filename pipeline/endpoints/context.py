"""What every endpoint is handed besides the exchange: the things that live as long as the process."""

from __future__ import annotations

import attrs
import httpx
from structlog.typing import FilteringBoundLogger

from pipeline.aside import Aside
from pipeline.settings import EMULATOR, Settings
from pipeline.telemetry.prompt_history import PromptHistory
from pipeline.tokenizer import Tokenizer
from pipeline.upstream.client import UpstreamClient
from pipeline.version import version
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
        aside: runs what would hold up other requests.
        history: what is remembered of answered turns, to explain a missed cache; nothing is answered by it.
        version: our own.
    """

    settings: Settings
    upstream: UpstreamClient
    target: Target
    tokenizer: Tokenizer
    log: FilteringBoundLogger
    version: str = attrs.field(factory=version)
    aside: Aside = attrs.field(factory=Aside)
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
