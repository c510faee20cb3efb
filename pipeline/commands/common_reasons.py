"""What the answers to several questions have in common: one reason for all of them, or models that are missing."""

from __future__ import annotations

import attrs

from pipeline.commands.question import Asked, Reply
from stages.canonical.failure import Failure, Kind

NO_API = "no api"
"""Cause where a server lists models, and has no Responses API to ask them by."""

_ELSEWHERE = (Kind.NOT_FOUND, Kind.MISCONFIGURED)
# What a server says that has no such path, of a list of models or of answers.

_OF_ALL = (
    *(Kind.QUOTA, Kind.BILLING, Kind.UNAVAILABLE, Kind.TIMEOUT, Kind.PERMISSION),
    *(Kind.RATE_LIMIT, Kind.OVERLOADED, Kind.UPSTREAM, Kind.MISCONFIGURED),
)
# What does not depend on the model, in whatever words it is said.


def common_reason(reply: Reply) -> Failure | None:
    """Say what is wrong with all that was asked, and so with no model; None where some answer, or each has its own.

    Where no model answers and the list is not there either, the list tells more: a page for people answers a question
    with whatever status.
    """
    failures, listed = reply.failures, reply.listed.failure
    if len(failures) < len(reply.asked) or missing_models(reply):
        return None
    if listed is not None and (not failures or listed.kind in _ELSEWHERE):
        return listed
    if len(failures) <= 1 or not _alike(failures):
        return None
    first = failures[0]
    return attrs.evolve(first, cause=NO_API) if listed is None and first.kind is Kind.MISCONFIGURED else first


def _alike(failures: list[Failure]) -> bool:
    if len(set(failures)) == 1:
        return True
    return len({(each.kind, each.cause) for each in failures}) == 1 and failures[0].kind in _OF_ALL


def missing_models(reply: Reply) -> list[str]:
    """Name the models that were asked, and that the upstream does not have."""
    return [asked.model for asked in reply.asked if _is_missing(asked, reply.listed.models)]


def _is_missing(asked: Asked, served: tuple[str, ...]) -> bool:
    """A 404 about anything but a model is no `NOT_FOUND` (`stages/tables/errors.py`); some servers say 400."""
    if asked.failure is None:
        return False
    unlisted = bool(served) and asked.model not in served
    return asked.failure.kind is Kind.NOT_FOUND or (asked.failure.kind is Kind.INVALID_REQUEST and unlisted)
