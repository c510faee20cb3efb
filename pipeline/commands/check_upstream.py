"""Checks of the upstream: is there a key, does somebody answer, does he know the models, do they answer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import attrs

from pipeline.commands.client_environment import OPENAI_HOST
from pipeline.commands.common_reasons import common_reason, missing_models
from pipeline.commands.explained import finding_of
from pipeline.commands.findings import Finding, fail, ok, unknown, warn
from pipeline.commands.question import Reply
from pipeline.commands.remedies import client_names, key_line, models_line
from pipeline.settings import EMULATOR, is_loopback
from pipeline.upstream.address import base_url
from stages.canonical.failure import Failure, Kind
from stages.tables.model_registry import ModelRegistry
from stages.tables.models import FAMILIES
from stages.tables.profiles import known_host

if TYPE_CHECKING:
    from pipeline.settings import Settings

_NOT_THERE = frozenset({Kind.NOT_FOUND, Kind.METHOD_NOT_ALLOWED, Kind.MISCONFIGURED})
# What servers say that have no list of models, or keep it elsewhere.
_KEY = frozenset({Kind.AUTHENTICATION, Kind.PERMISSION})
_UNFETCHED = frozenset({"KeyCommand", "KeyFile"})


def registry_of(settings: Settings, served: Sequence[str] = ()) -> ModelRegistry:
    """All that is known about models, with what the upstream lists."""
    return attrs.evolve(ModelRegistry.of(settings.models), served=dict.fromkeys(served))


def wanted_models(settings: Settings, served: Sequence[str] = ()) -> list[str]:
    """Every upstream model that a client's name would lead to."""
    registry = registry_of(settings, served)
    return sorted({*registry.names.values(), *(registry.upstream_model(f"claude-{word}") for word in FAMILIES)})


def key(settings: Settings, reply: Reply) -> Finding:
    """Is there a key, where one is needed, is it accepted, and does it travel safely?"""
    upstream = settings.upstream
    if upstream.url == EMULATOR:
        return warn(
            "none needed: answers come from the built-in emulator, not from a model", "export OPENAI_API_KEY=sk-..."
        )
    given = upstream.keyed
    parts = urlsplit(upstream.url)
    refused = next((each for each in _failures(reply) if each.kind in _KEY or each.cause in _UNFETCHED), None)
    if not given and (refused is not None or parts.hostname == OPENAI_HOST):
        return fail("there is none, and one is asked for", key_line(settings))
    if refused is not None:
        return finding_of(refused, settings)
    if given and parts.scheme == "http" and not is_loopback(parts.hostname or ""):
        return warn("it is set, but travels unencrypted to another machine", "use https:// in the upstream's URL")
    if not (reply.listed.models or any(each.failure is None for each in reply.asked)):
        return unknown(
            "one is set; nobody has accepted it yet" if given else "none is set; nobody has asked for one yet"
        )
    return ok("it is accepted" if given else "none is set, and none is asked for")


def _failures(reply: Reply) -> list[Failure]:
    listed = reply.listed.failure
    return [*([listed] if listed else []), *reply.failures]


def reachable(settings: Settings, reply: Reply) -> Finding:
    """Does somebody answer, and is it what the URL should lead to?"""
    listed, url = reply.listed, base_url(settings.upstream.url)
    if settings.upstream.url == EMULATOR:
        return ok("the built-in emulator is always there")
    if listed.failure is None:
        mended = "" if url == settings.upstream.url else f", which is what {settings.upstream.url} was taken for,"
        return ok(f"{url}{mended} answers and lists {len(listed.models)} models")
    answering = any(each.failure is None for each in reply.asked)
    if answering and listed.failure.kind in _NOT_THERE:
        return ok(f"{url} answers; it has no list of models, which is harmless")
    if listed.failure.kind in _KEY:
        return ok(f"{url} answers, but not with this key")
    return finding_of(listed.failure, settings)


def server(settings: Settings, reply: Reply) -> Finding:
    """What is the upstream taken for, by whom, and what does it not take?"""
    answered = reply.listed.failure is None or any(each.failure is None for each in reply.asked)
    known = known_host(settings.upstream.url) is not None and not _lacks_package(reply)
    if not (answered or known):
        return unknown("could not be looked at, for the reason above")
    from pipeline.named_upstream import target_now

    target = target_now(settings, settings.timing.connect)
    profile, chosen = target.profile, settings.upstream.profile
    by = "as set" if chosen else "by its address" if known_host(settings.upstream.url) else "by a look at it"
    fields = [field for field in attrs.fields(type(profile)) if isinstance(field.default, bool) and field.default]
    lacking = [field.name for field in fields if not getattr(profile, field.name)]
    without = f", without {', '.join(lacking)}" if lacking else ", which takes everything"
    window = target.models.smallest_window()
    holds = f"; its window is {window} tokens" if window else ""
    return ok(f"taken for {profile.name} {by}{without}{holds}")


def _lacks_package(reply: Reply) -> bool:
    return reply.listed.failure is not None and reply.listed.failure.cause == "package"


def models(settings: Settings, reply: Reply) -> Iterator[Finding]:
    """Does each model answer that would be asked for? One finding each; what was said once is not repeated."""
    registry, missing = registry_of(settings, reply.listed.models), missing_models(reply)
    common, listed = common_reason(reply), reply.listed.failure
    told = {_reason(listed)} if listed is not None else set()
    for asked in reply.asked:
        serves = f"{asked.model} ({', '.join(client_names(registry, asked.model))})"
        if asked.failure is None:
            summaries = "with" if asked.summaries else "without"
            yield ok(f"{serves}: 200, first byte after {asked.seconds:.2f} s, {summaries} summaries of its reasoning")
            continue
        failure = common or asked.failure
        if asked.model in missing:
            finding = missing_finding(settings, reply)
            finding = finding if asked.model == missing[0] else attrs.evolve(finding, advice="")
        elif _reason(failure) in told:
            finding = unknown("no answer, for the reason above")
        else:
            finding = finding_of(failure, settings)
        told.add(_reason(failure))
        yield attrs.evolve(finding, text=f"{serves}: {finding.text}")


def _reason(failure: Failure) -> tuple[Kind, str | None]:
    return failure.kind, failure.cause


def missing_finding(settings: Settings, reply: Reply) -> Finding:
    """Say that models are missing, with one line that names others for all of them."""
    missing, served = missing_models(reply), reply.listed.models
    failure = next(asked.failure for asked in reply.asked if asked.model == missing[0])
    code = "" if failure is None else f" ({failure.kind.status}, {failure.cause or 'not found'})"
    return fail(f"the upstream has no such model{code}", models_line(settings, registry_of(settings, served), missing))
