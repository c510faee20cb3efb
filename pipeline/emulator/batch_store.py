"""The Batch API of the emulator: each look at a batch brings it one status further, so that nobody has to wait.

    validating ─▶ in_progress ─▶ finalizing ─▶ completed | expired          cancelling ─▶ cancelled
         └─▶ failed                                                               ▲ from the three before

What goes wrong is told by *cues* anywhere in the input file: `[[batch-failed]]` spoils its line, so that the whole
batch fails; `[[batch-expired 2]]` lets the time be over when two lines are done; `[[batch-held 2]]` keeps two lines
done and the batch in progress until it is cancelled; `[[batch-lost]]` has its line's answer in neither file, and
`[[batch-zero]]` has a status of 0 there.

Source: `docs/facts/files-and-batches.md`.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from attrs import define, field

from pipeline.emulator.answer import EmulatedAnswer
from pipeline.emulator.faults import Fault, invalid
from pipeline.emulator.file_store import FileStore, lasting_of, page_of
from pipeline.emulator.ids import hexadecimal
from stages.wire import json

MAX_LINES = 50_000
"""Lines that the input of a batch may have."""

MAX_PAGE = 100
"""Batches on one page of the list."""

ENDED = ("completed", "failed", "expired", "cancelled")
"""Statuses that do not change any more."""

_DAY = 86_400
_CUE = re.compile(rb"\[\[batch-(failed|expired|held|lost|zero)(?: (\d+))?\]\]")
_STAMPS = {
    "in_progress": "in_progress_at",
    "finalizing": "finalizing_at",
    "completed": "completed_at",
    "failed": "failed_at",
    "expired": "expired_at",
    "cancelling": "cancelling_at",
    "cancelled": "cancelled_at",
}
_EXPIRED = "This request could not be executed before the completion window expired."

LineAnswering = Callable[[dict[str, Any]], EmulatedAnswer]
"""Answers the body of one line."""


@define
class _Batch:
    told: dict[str, Any]
    lines: list[bytes] = field(repr=False)
    cues: dict[str, int]
    status: list[str]
    """The statuses to come, next one last."""
    lasting: int | None = None
    """Seconds that its output is kept."""


@define
class BatchStore:
    """The batches of one account, oldest first.

    Attributes:
        files: where their inputs and outputs are.
        answering: answers a line.
        clock: tells when a batch is made, in seconds since 1970.
    """

    files: FileStore
    answering: LineAnswering
    clock: Callable[[], float] = time.time
    _batches: dict[str, _Batch] = field(factory=dict)

    def create(self, request: Mapping[str, Any]) -> dict[str, Any] | Fault:
        """Answer `POST /batches`."""
        source = self.files.find(str(request.get("input_file_id")))
        if isinstance(source, Fault):
            return invalid(f"Invalid 'input_file_id': {source.message}", "input_file_id")
        if request.get("endpoint") != "/v1/responses" or request.get("completion_window") != "24h":
            return invalid("Invalid 'endpoint' or 'completion_window'.", "endpoint")
        lasts = request.get("output_expires_after")
        lasting = lasting_of(lasts, "output_expires_after") if lasts is not None else None
        if isinstance(lasting, Fault):
            return lasting
        number = len(self._batches) + 1
        told = _begun(f"batch_{hexadecimal(str(number).encode(), 'batch', 32)}", int(self.clock()), request)
        lines = source.data.splitlines()
        cues = {name.decode(): int(count or 0) for name, count in _CUE.findall(source.data)}
        batch = _Batch(told, lines, cues, ["finalizing", "in_progress"], lasting)
        batch.status.insert(0, "expired" if "expired" in cues else "completed")
        if _faulty_lines(lines):
            batch.status = ["failed"]
        elif "held" in cues:
            batch.status = ["in_progress"]
        self._batches[told["id"]] = batch
        return dict(told)

    def look(self, ident: str) -> dict[str, Any] | Fault:
        """Answer `GET /batches/{id}`, and bring it one status further for the next look."""
        batch = self._batches.get(ident)
        if batch is None:
            return _missing(ident)
        told = dict(batch.told)
        if batch.status:
            self._go_on(batch)
        return told

    def cancel(self, ident: str) -> dict[str, Any] | Fault:
        """Answer `POST /batches/{id}/cancel`: it is cancelled when it is looked at next but one."""
        batch = self._batches.get(ident)
        if batch is None:
            return _missing(ident)
        if batch.told["status"] in (*ENDED, "cancelling"):
            return Fault(409, f"Cannot cancel a batch with status '{batch.told['status']}'.")
        batch.status = ["cancelled", "cancelling"]
        self._go_on(batch)
        return dict(batch.told)

    def page(self, query: Mapping[str, str]) -> dict[str, Any] | Fault:
        """Answer `GET /batches`: `limit` and `after`, newest first."""
        return page_of([dict(batch.told) for batch in reversed(self._batches.values())], query, MAX_PAGE)

    def _go_on(self, batch: _Batch) -> None:
        status = batch.status.pop()
        batch.told |= {"status": status, _STAMPS[status]: batch.told["created_at"] + 60}
        if status == "in_progress":
            batch.told["request_counts"] = {"total": len(batch.lines), "completed": 0, "failed": 0}
        elif status == "failed":
            batch.told["errors"] = {"object": "list", "data": _faulty_lines(batch.lines)}
        elif status in ENDED:
            self._finish(batch, status)

    def _finish(self, batch: _Batch, status: str) -> None:
        """Write output and error file: as many lines as are done, and for the others why they are not."""
        done = {"expired": batch.cues.get("expired", 0), "cancelled": batch.cues.get("held", 0)}
        output, errors = list[bytes](), list[bytes]()
        for at, line in enumerate(batch.lines):
            if at >= done.get(status, MAX_LINES):
                errors += [_line(at, line, None, {"code": f"batch_{status}", "message": _EXPIRED})]
            elif b"[[batch-lost]]" not in line:
                self._answer(at, line, output, errors)
        name = batch.told["id"]
        for kind, lines in (("output", output), ("error", errors)):
            if lines:
                kept = self.files.keep(b"".join(lines), f"{name}_{kind}.jsonl", "batch_output", batch.lasting)
                batch.told[f"{kind}_file_id"] = kept.id
        counts = {"total": len(batch.lines), "completed": len(output), "failed": len(errors)}
        batch.told["request_counts"] = counts

    def _answer(self, at: int, line: bytes, output: list[bytes], errors: list[bytes]) -> None:
        asked = json.decode(line)["body"]
        told = self.answering(asked)
        status = 0 if b"[[batch-zero]]" in line else told.status
        body = {**told.body, "metadata": asked.get("metadata", {})} if told.status < 400 else told.body  # noqa: PLR2004
        response = {"status_code": status, "request_id": told.headers["x-request-id"], "body": body if status else {}}
        (output if status == 200 else errors).append(_line(at, line, response, None))  # noqa: PLR2004


def _begun(ident: str, created: int, request: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "id": ident,
        "object": "batch",
        "endpoint": request["endpoint"],
        "model": None,
        "errors": None,
        "input_file_id": request["input_file_id"],
        "completion_window": "24h",
        "status": "validating",
        "output_file_id": None,
        "error_file_id": None,
        "created_at": created,
        "expires_at": created + _DAY,
        **dict.fromkeys(_STAMPS.values()),
        "request_counts": {"total": 0, "completed": 0, "failed": 0},
        "metadata": request.get("metadata"),
    }


def _line(at: int, line: bytes, response: Any, error: Any) -> bytes:
    ident = f"batch_req_{hexadecimal(str(at).encode(), 'line', 32)}"
    custom_id = json.decode(line)["custom_id"]
    return json.encode({"id": ident, "custom_id": custom_id, "response": response, "error": error}) + b"\n"


def _faulty_lines(lines: list[bytes]) -> list[dict[str, Any]]:
    """List what makes a batch fail as a whole: at most ten mistakes, as the API does."""
    return list(_mistakes(lines))[:10]


def _mistakes(lines: list[bytes]) -> Iterator[dict[str, Any]]:
    seen, models = set[str](), set[str]()
    if not lines or len(lines) > MAX_LINES:
        yield _mistake("invalid_request", f"A batch has 1 to {MAX_LINES} lines.", None)
    for at, line in enumerate(lines, 1):
        try:
            value = json.decode(line)
            custom_id, model, url = value["custom_id"], value["body"]["model"], value["url"]
        except (json.MalformedJson, KeyError, TypeError):
            yield _mistake("invalid_json_line", "This line is not parseable as valid JSON.", at)
            continue
        if custom_id in seen:
            yield _mistake("duplicate_custom_id", "The custom_id of this line is used before.", at)
        if models and model not in models:
            yield _mistake("mismatched_model", "All lines of a batch have the same model.", at)
        if url != "/v1/responses" or value["body"].get("stream"):
            yield _mistake("invalid_url", "The line is no request of the batch's endpoint.", at)
        if b"[[batch-failed]]" in line:
            yield _mistake("invalid_request", "This line was meant to be wrong.", at)
        seen.add(custom_id)
        models.add(model)


def _mistake(code: str, message: str, line: int | None) -> dict[str, Any]:
    return {"code": code, "message": message, "param": None, "line": line}


def _missing(ident: str) -> Fault:
    return Fault(404, f"No batch found with id '{ident}'.", param="id")
