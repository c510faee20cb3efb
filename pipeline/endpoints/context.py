"""What every endpoint is handed besides the exchange: the things that live as long as the process."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

import attrs
import httpx
import trio
from structlog.typing import FilteringBoundLogger

from pipeline.aside import Aside
from pipeline.endpoints.overview import overview
from pipeline.endpoints.running import Phase, Running
from pipeline.lessons import Lessons
from pipeline.request.turns import Turns
from pipeline.settings import EMULATOR, Settings
from pipeline.telemetry import semantics
from pipeline.telemetry.counted import Counted, CountQuestion, Inquire
from pipeline.telemetry.prompt_history import PromptHistory
from pipeline.telemetry.recent import Recent
from pipeline.telemetry.request_log import RequestLog
from pipeline.telemetry.request_metrics import count_request, tally_of
from pipeline.telemetry.tally import Snapshot, Tally
from pipeline.telemetry.usage_by_session import UsageBySession
from pipeline.tokenizer import Tokenizer
from pipeline.upstream.client import UpstreamClient
from pipeline.upstream.discovery import Discovery
from pipeline.upstream.stored import UpstreamStore
from pipeline.version import version
from stages.mapper import Target

if TYPE_CHECKING:
    from pipeline.fetching.fetcher import PageFetcher
    from pipeline.storage.local import LocalStore
    from pipeline.storage.store import Store
    from pipeline.telemetry.otlp.spans import Tracing


MAX_VIEWERS = 16
"""Pages that may be open at once."""


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
        lessons: what the upstream was found to refuse, by model.
        history: what is remembered of answered turns, to explain a missed cache; nothing is answered by it.
        version: our own.
        discovery: finds out more about the upstream; None where there is nothing to find.
        running: the requests that run now, and how many more may.
        turns: when a request is translated.
        tally: what is counted of requests.
        usage: what the sessions of clients have used here; those of a worker are handed on.
        supervisor: answers questions about what all workers have counted; None where there is one process.
        web: reads pages for models; None where the settings say how, once somebody wants one.
        viewers: how many pages may be open at once.
        local: keeps files and batches where the upstream does not; None where nobody needs that.
        tracing: makes the spans that are exported; None where none are.
    """

    settings: Settings
    upstream: UpstreamClient
    target: Target
    tokenizer: Tokenizer
    log: FilteringBoundLogger
    version: str = attrs.field(factory=version)
    aside: Aside = attrs.field(factory=Aside)
    lessons: Lessons = attrs.field(factory=Lessons)
    history: PromptHistory = attrs.field(factory=PromptHistory)
    discovery: Discovery | None = None
    running: Running = attrs.field(
        default=attrs.Factory(lambda own: Running(own.settings), takes_self=True), repr=False
    )
    turns: Turns = attrs.field(factory=Turns, repr=False)
    tally: Tally = attrs.field(factory=tally_of, repr=False)
    usage: UsageBySession = attrs.field(factory=UsageBySession, repr=False)
    recent: Recent = attrs.field(
        default=attrs.Factory(lambda own: Recent(own.tally.snapshot), takes_self=True), repr=False
    )
    supervisor: Inquire | None = attrs.field(default=None, repr=False)
    web: PageFetcher | None = attrs.field(default=None, repr=False)
    viewers: trio.CapacityLimiter = attrs.field(factory=lambda: trio.CapacityLimiter(MAX_VIEWERS), repr=False)
    tracing: Tracing | None = attrs.field(default=None, repr=False)
    local: LocalStore | None = None

    @property
    def pages(self) -> PageFetcher:
        """What reads pages for models, imported with the first of them."""
        from pipeline.fetching.fetcher import PageFetcher

        return self.web or PageFetcher(self.settings.fetch)

    @property
    def files(self) -> Store | None:
        """What keeps files; None where nobody does."""
        return self._store(upstream=self.target.profile.keeps_files)

    @property
    def keeps_files_here(self) -> bool:
        """Whether it is this machine that keeps files."""
        return self.local is not None and self._keeps_here(upstream=self.target.profile.keeps_files)

    @property
    def batches(self) -> Store | None:
        """What runs batches; None where nobody does."""
        return self._store(upstream=self.target.profile.batches)

    def _store(self, *, upstream: bool) -> Store | None:
        if self._keeps_here(upstream=upstream):
            return self.local
        return UpstreamStore(self.upstream) if upstream else None

    def _keeps_here(self, *, upstream: bool) -> bool:
        where = self.settings.storage.where
        return where == "local" or (where == "auto" and not upstream)

    async def informed(self) -> Context:
        """The same with what was found out about the upstream; waits a moment where a first look is under way."""
        if self.discovery is None:
            return self
        target = await self.discovery.known()
        return self._settled if self.discovery.settled else attrs.evolve(self, target=target)

    @cached_property
    def _settled(self) -> Context:
        """The same with what will not change any more; made once, since a copy costs as much as a request's line."""
        target = self.target if self.discovery is None else self.discovery.target
        return attrs.evolve(self, target=target, discovery=None)

    def after(self, before: Context) -> Context:
        """The same, with all that outlives a change of settings; the requests that run are counted by our limits."""
        before.running.settings = self.settings
        return attrs.evolve(self, history=before.history, running=before.running, turns=before.turns)

    def introduce(self) -> None:
        """Let the numbers name who may ask here, and who is asked; others are `other`."""
        self.tally.know(semantics.CLIENT, ("", *(key.name for key in self.settings.client_keys)))
        self.tally.know(semantics.SERVER, (self.upstream_name,))

    def account(self, log: RequestLog) -> None:
        """Account for a request that is over: its line and its spans, the numbers, and what its session has used."""
        said = log.write()
        count_request(self.tally, said, self.upstream_name)
        self.usage.add(said)

    async def ask(self, question: CountQuestion) -> str | None:
        """Answer a question about what was counted, by all processes where there are several.

        Waits for a thread, or for the supervisor; None where that does not answer in time.
        """
        if self.supervisor is not None:
            return await self.supervisor(question)
        return await overview(Counted(self.numbers, self.recent, self.usage), question)

    def numbers(self) -> Snapshot:
        """What has been counted until now, with what can only be looked at."""
        running = self.running
        looked = {
            semantics.STREAMS: running.streams,
            semantics.RUNNING: running.working,
            semantics.WORKERS: 1,
            semantics.WORKERS_DRAINING: running.phase is Phase.DRAINING,
        }
        for name, number in looked.items():
            self.tally.put(name, (), float(number))
        return self.tally.snapshot()

    @property
    def profile(self) -> str:
        """What the upstream is taken for by now."""
        return (self.target if self.discovery is None else self.discovery.target).profile.name

    @cached_property
    def upstream_name(self) -> str:
        """Where requests go, as far as everybody may know: the host, or `emulator`."""
        url = self.settings.upstream.url
        return url if url == EMULATOR else httpx.URL(url).host

    @property
    def counting(self) -> str:
        """Where our own token counts come from."""
        return self.tokenizer.source
