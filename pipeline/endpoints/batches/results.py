"""`GET /v1/messages/batches/{id}/results`: the upstream's files become Anthropic's lines, one by one, as they come.

Every `custom_id` has one line: from the output file, the error file, the manifest, or by how its part has ended.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncGenerator, Iterator, Mapping
from contextlib import aclosing
from typing import Any

import attrs

from pipeline.endpoints.batches.kept import Found, batch_id_of, stored_batch
from pipeline.endpoints.batches.upstream_batch import UNDONE, BatchNote, ended
from pipeline.endpoints.context import Context
from pipeline.endpoints.exchange import Exchange
from pipeline.endpoints.owners import Owner
from pipeline.endpoints.translation import Question, translate, without_hosted_tools
from pipeline.request.whole_answer import read_answer
from pipeline.storage.store import Store
from pipeline.telemetry import names
from stages.canonical.failure import Failure, Kind
from stages.canonical.plan import AnswerPlan
from stages.canonical.request import Caller
from stages.tables.errors import failure_of
from stages.tables.identifiers import digest
from stages.tables.prices import cost_at
from stages.wire import json
from stages.wire.messages_stream import errored, read_usage

GONE = Failure(Kind.NOT_FOUND, "The results of this batch are no longer available")
"""What is said when the files of a batch were deleted, or have expired."""

PLANS = 256
"""Plans that are kept at once; requests of a batch mostly share a few."""

_OK = 200
_CODES = {"batch_expired": "expired", "batch_cancelled": "canceled"}
_LONGEST = 64 * 2**20  # bytes of a line
_TOO_LONG = Failure(Kind.UPSTREAM, "A line of the upstream's file is too long.", cause="too_large")
_NOT_RUN = Failure(Kind.UPSTREAM, "The upstream has no answer to this request.")
"""What is said of a request that the upstream has lost."""


async def results(context: Context, exchange: Exchange) -> Failure | None:
    """Send the results of a batch that has ended.

    Waits for the upstream and the client. What fails before the first line is a status; later, the answer is cut off,
    which every client notices.
    """
    ident = batch_id_of(exchange, "/results")
    found = await stored_batch(context, exchange, ident)
    if isinstance(found, Failure):
        return found
    if not ended(found.parts):
        return Failure(Kind.INVALID_REQUEST, f"Batch {ident} has not ended; its results are not available yet")
    open_requests = await _Manifest.read(found.store, found.note.manifest)
    if isinstance(open_requests, Failure):
        return GONE if open_requests.kind is Kind.NOT_FOUND else open_requests
    await exchange.begin_download(f"{ident}_results.jsonl", "application/x-jsonl")
    told, reading = Counter[str](), _Reading(context, exchange.request_id, open_requests, found.note)
    async with aclosing(_lines(reading, found)) as lines:
        async for line in lines:
            if isinstance(line, Failure):
                context.log.warning(names.BATCH, request_id=exchange.request_id, call="results", outcome="cut")
                return None
            told[line["result"]["type"]] += 1
            await exchange.write(json.encode(line) + b"\n")
    await exchange.end_stream()
    context.log.info(names.BATCH, request_id=exchange.request_id, call="results", batch=ident, **told, **reading.cost())
    return None


@attrs.define
class _Manifest:
    """What the manifest says, as far as it is not answered yet.

    Attributes:
        caller: who has asked, as far as answers depend on it.
        plans: skeletons of requests.
        open: which of them says how to read the answer, by `custom_id`.
        ready: the errors of requests that never went up.
    """

    caller: Caller = attrs.field(factory=Caller)
    plans: list[bytes] = attrs.field(factory=list)
    open: dict[str, int] = attrs.field(factory=dict)
    ready: dict[str, Any] = attrs.field(factory=dict)

    @classmethod
    async def read(cls, store: Store, file: str) -> _Manifest | Failure:
        """Read all of it; waits for the store."""
        manifest = cls()
        async with aclosing(_file_lines(store, file)) as lines:
            async for line in lines:
                if isinstance(line, Failure):
                    return line
                manifest._take(line)
        return manifest

    def _take(self, line: dict[str, Any]) -> None:
        if "plan" in line:
            self.plans.append(json.encode(line["plan"]))
        elif "error" in line:
            self.ready[line["id"]] = line["error"]
        elif "id" in line:
            self.open[line["id"]] = line["use"]
        else:
            self.caller = Caller(version=line.get("version", ""), betas=tuple(line.get("betas", ())))


async def _lines(reading: _Reading, found: Found) -> AsyncGenerator[dict[str, Any] | Failure, None]:
    """Yield all results; waits for the store's files."""
    manifest = reading.manifest
    for name in ("output_file_id", "error_file_id"):
        for file in [part[name] for part in found.parts if part.get(name)]:
            async with aclosing(_file_lines(found.store, file)) as lines:
                async for line in lines:
                    if isinstance(line, Failure):
                        yield line
                        return
                    if (use := manifest.open.pop(str(line.get("custom_id")), None)) is not None:
                        yield {"custom_id": line["custom_id"], "result": await reading.result(line, use)}
    for line in _rest(found, manifest, reading.request_id):
        yield line


def _rest(found: Found, manifest: _Manifest, request_id: str) -> Iterator[dict[str, Any]]:
    """Yield what stands in no file: requests that were never sent, and those that were never run."""
    for custom_id, told in manifest.ready.items():
        yield {"custom_id": custom_id, "result": {"type": "errored", "error": told}}
    ends = {UNDONE[str(part["status"])] for part in found.parts}
    # Which part a request was in is not known any more; expiry and cancelling mostly meet all of them.
    end = next((word for word in ("canceled", "expired") if word in ends), "errored")
    failure = next((told for part in found.parts if (told := _why(part)) is not None), _NOT_RUN)
    for custom_id in manifest.open:
        result = {"type": end} if end != "errored" else errored(failure, request_id)
        yield {"custom_id": custom_id, "result": result}


def _why(part: Mapping[str, Any]) -> Failure | None:
    """Why a part has failed as a whole: the first of its mistakes."""
    mistakes = (part.get("errors") or {}).get("data") or []
    return failure_of({"error": mistakes[0]}, status=400) if mistakes else None


@attrs.define
class _Reading:
    """Reads the answers of one batch."""

    context: Context
    request_id: str
    manifest: _Manifest
    note: BatchNote
    _plans: dict[int, AnswerPlan | Failure] = attrs.field(factory=dict)
    _dollars: float = 0.0

    def cost(self) -> dict[str, float]:
        """What the answers have cost upstream, for the log; empty where no price is known, or it was told before."""
        return {"cost_usd": round(self._dollars, 6)} if self._dollars else {}

    async def result(self, line: dict[str, Any], use: int) -> dict[str, Any]:
        """Say what became of one request.

        Args:
            line: of an output or error file.
            use: which plan says how to read it.
        """
        if "result" in line:  # of a store that runs messages
            told: Any = line["result"]
            return dict(told)
        told, mistake = line.get("response"), line.get("error")
        if isinstance(mistake, dict) and mistake.get("code") in _CODES:
            return {"type": _CODES[mistake["code"]]}
        status = told.get("status_code") if isinstance(told, dict) else None
        if not isinstance(told, dict) or status != _OK:
            value = mistake or (told or {}).get("body")
            known = failure_of({"error": mistake} if mistake else value, status=status) if value else _NOT_RUN
            return errored(known, self.request_id)
        plan = self._plan(use)
        if isinstance(plan, Failure):
            return errored(plan, self.request_id)
        plan = attrs.evolve(plan, message_id=f"msg_{digest(self.note.group + line['custom_id'], 24)}")
        message = await read_answer(told.get("body"), plan)
        if isinstance(message, Failure):
            return errored(message, self.request_id)
        message["usage"]["service_tier"] = "batch"
        price = self.context.target.models.price(plan.upstream_model)
        self._dollars += cost_at(price, read_usage(message["usage"]), "batch") or 0.0
        return {"type": "succeeded", "message": message}

    def _plan(self, use: int) -> AnswerPlan | Failure:
        if use not in self._plans:
            if len(self._plans) == PLANS:
                self._plans.clear()
            mark = self.note.owner
            owner = Owner.marked(self.context.settings, mark) if mark else None
            question = Question(self.manifest.caller, self.context.target, "msg_batch", owner=owner)
            question = without_hosted_tools(question)
            told = translate(question, self.manifest.plans[use])
            self._plans[use] = told if isinstance(told, Failure) else told.plan
        return self._plans[use]


async def _file_lines(store: Store, file: str) -> AsyncGenerator[dict[str, Any] | Failure, None]:
    """Yield the lines of a file; waits for each read, and yields the failure that ends it."""
    answer = await store.content(file)
    if isinstance(answer, Failure):
        yield answer
        return
    begun = bytearray()
    async with answer:
        async for chunk in answer:
            if isinstance(chunk, Failure) or len(begun) > _LONGEST:
                yield chunk if isinstance(chunk, Failure) else _TOO_LONG
                return
            for piece in chunk.splitlines(keepends=True):
                begun += piece
                if piece.endswith(b"\n"):
                    if (value := _decoded(bytes(begun))) is not None:
                        yield value
                    begun.clear()
    if (value := _decoded(bytes(begun))) is not None:
        yield value


def _decoded(line: bytes) -> dict[str, Any] | None:
    try:
        value = json.decode(line) if line.strip() else None
    except json.MalformedJson:
        return None
    return value if isinstance(value, dict) else None
