"""What can be set: frozen classes whose every field knows its reader, its meaning and its default."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Literal

import attrs

from pipeline.settings import readers as read
from pipeline.settings.client_keys import client_keys as read_client_keys
from pipeline.settings.models import read_models

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipeline.settings.client_keys import ClientKey
    from pipeline.settings.keys import Secret
    from pipeline.settings.models import Models
    from pipeline.settings.readers import Reader

OPENAI_URL = "https://api.openai.com/v1"
"""The upstream when a key is given and no URL."""

_READER, _ABOUT = "reader", "about"


def _about(reader: Reader, about: str) -> dict[str, object]:
    return {_READER: reader, _ABOUT: about}


_BYTES = read.whole(1)


@attrs.frozen
class UpstreamSettings:
    """The Responses API that does the work."""

    url: str = attrs.field(
        default=OPENAI_URL,
        metadata=_about(read.upstream_url, "base URL, or `emulator` for the scripted API inside the process"),
    )
    api_key: Secret | None = attrs.field(
        default=None, metadata=_about(read.secret, "key sent to the upstream; local engines need none")
    )
    api_key_file: str = attrs.field(
        default="",
        metadata=_about(
            read.any_text,
            "file that holds the key, as orchestrators mount secrets; read again now and then, and when refused",
        ),
    )
    key_command: str = attrs.field(
        default="",
        metadata=_about(
            read.any_text, "shell command that prints the key, for keys that expire; run again before they do"
        ),
    )
    key_lifetime: float = attrs.field(
        default=600.0,
        metadata=_about(read.seconds, "how long a key of that file or command is used, where it does not say itself"),
    )
    headers: Mapping[str, Secret] = attrs.field(
        factory=lambda: MappingProxyType({}),
        metadata=_about(read.headers_by_name, "headers that every request to the upstream carries besides ours"),
    )
    query: Mapping[str, str] = attrs.field(
        factory=lambda: MappingProxyType({}),
        metadata=_about(read.texts_by_name, "query of every request to the upstream, such as api-version"),
    )
    profile: str = attrs.field(
        default="",
        metadata=_about(
            read.any_text, "what the server lacks, by name, such as azure, vllm, ollama or compatible; empty: found out"
        ),
    )
    profile_overrides: Mapping[str, bool | int | str] = attrs.field(
        factory=lambda: MappingProxyType({}),
        metadata=_about(read.scalars_by_name, "single fields of the profile that differ for this server"),
    )
    summaries: bool = attrs.field(
        default=True,
        metadata=_about(
            read.boolean, "ask for summaries of reasoning; OpenAI wants the organisation verified for that"
        ),
    )
    shared_agents: bool = attrs.field(
        default=False,
        metadata=_about(
            read.boolean, "one cache key for all subagents of a session that have the same long system prompt"
        ),
    )
    http2: bool = attrs.field(default=False, metadata=_about(read.boolean, "speak HTTP/2 where the upstream does"))
    retries: int = attrs.field(
        default=2, metadata=_about(read.whole(0, 10), "new attempts after a failure that came before any byte")
    )

    @property
    def keyed(self) -> bool:
        """Whether a key goes with requests, wherever it comes from."""
        return self.api_key is not None or bool(self.api_key_file or self.key_command)


@attrs.frozen
class Limits:
    """What a request may cost in memory. Sizes are bytes."""

    body_bytes: int = attrs.field(default=32 * 2**20, metadata=_about(_BYTES, "largest body of a client"))
    file_bytes: int = attrs.field(
        default=500 * 2**20, metadata=_about(_BYTES, "largest file that a client uploads; it waits on the disk")
    )
    batch_bytes: int = attrs.field(
        default=256 * 2**20, metadata=_about(_BYTES, "largest body of a batch; it is read as it comes")
    )
    header_bytes: int = attrs.field(default=64 * 2**10, metadata=_about(_BYTES, "largest head of a client's request"))
    requests: int = attrs.field(
        default=1000, metadata=_about(read.whole(1), "requests of one process at once; further ones are answered 529")
    )
    bodies_bytes: int = attrs.field(
        default=256 * 2**20,
        metadata=_about(_BYTES, "bodies of all requests of one process at once; what is beyond is answered 529"),
    )
    channel_batches: int = attrs.field(
        default=16, metadata=_about(read.whole(0), "batches that wait between two stages; 0 hands over directly")
    )
    waiting_bytes: int = attrs.field(
        default=8 * 2**20, metadata=_about(_BYTES, "content that a block holds while it waits for its turn")
    )
    event_bytes: int = attrs.field(default=16 * 2**20, metadata=_about(_BYTES, "largest single event of the upstream"))
    response_bytes: int = attrs.field(
        default=64 * 2**20, metadata=_about(_BYTES, "largest answer of the upstream, streamed or not")
    )


@attrs.frozen
class Timing:
    """How long things may take. Times are seconds."""

    commit_after: float = attrs.field(
        default=5.0, metadata=_about(read.seconds, "silence of a healthy upstream after which the 200 is sent anyway")
    )
    ping_after: float = attrs.field(default=10.0, metadata=_about(read.seconds, "silence after which a ping is sent"))
    nudge_after: float = attrs.field(
        default=120.0,
        metadata=_about(read.seconds, "silence after which an empty delta is sent, lest the client leave"),
    )
    connect: float = attrs.field(
        default=10.0, metadata=_about(read.seconds, "to connect to the upstream, TLS included")
    )
    first_byte: float = attrs.field(default=300.0, metadata=_about(read.seconds, "from the request to the first byte"))
    silence: float = attrs.field(default=300.0, metadata=_about(read.seconds, "between two reads from the upstream"))
    total: float = attrs.field(default=3600.0, metadata=_about(read.seconds, "for a whole request"))
    head: float = attrs.field(
        default=30.0, metadata=_about(read.seconds, "from the first byte of a client's request to the end of its head")
    )
    body: float = attrs.field(default=60.0, metadata=_about(read.seconds, "between two reads of a client's body"))
    write: float = attrs.field(
        default=60.0, metadata=_about(read.seconds, "between two writes that a client takes; then it is left")
    )
    idle: float = attrs.field(
        default=120.0, metadata=_about(read.seconds, "that a client's connection is kept between two requests")
    )
    error_body: float = attrs.field(
        default=5.0, metadata=_about(read.seconds, "for the body of an upstream's error; then what was read counts")
    )
    shutdown_grace: float | None = attrs.field(
        default=None,
        metadata=_about(
            read.seconds,
            "for running requests to end when the server is told to stop; unset: 10 at a terminal, else 600",
        ),
    )


@attrs.frozen
class Safeguards:
    """Who judges the calls of clients that run nothing without a verdict, such as Claude Code in its auto mode."""

    model: str = attrs.field(
        default="",
        metadata=_about(
            read.any_text,
            "model that judges tool calls for Claude Code's auto mode, and is shown what the client says of its paths, "
            "rules and repository; empty: nobody judges, and the client asks or refuses",
        ),
    )
    timeout: float = attrs.field(
        default=30.0, metadata=_about(read.seconds, "for a verdict; then there is none, and the client is told so")
    )


@attrs.frozen
class FetchSettings:
    """Pages that this machine reads where a client declares Anthropic's `web_fetch`, and a model asks for them."""

    enabled: bool = attrs.field(
        default=False,
        metadata=_about(
            read.boolean,
            "read pages for `web_fetch` from here, of the public internet alone; else the upstream's search opens them",
        ),
    )
    allowed_domains: tuple[str, ...] = attrs.field(
        default=(), metadata=_about(read.names, "the only hosts that are asked, with all below them; empty: any")
    )
    blocked_domains: tuple[str, ...] = attrs.field(
        default=(), metadata=_about(read.names, "hosts that are never asked, nor any below them")
    )
    timeout: float = attrs.field(default=20.0, metadata=_about(read.seconds, "for a page, with all that it leads to"))
    max_bytes: int = attrs.field(default=5 * 2**20, metadata=_about(_BYTES, "largest page, unpacked"))


@attrs.frozen
class StorageSettings:
    """Where files and batches are kept. Sizes are bytes."""

    where: Literal["auto", "upstream", "local"] = attrs.field(
        default="auto",
        metadata=_about(
            read.choice("auto", "upstream", "local"),
            "who keeps files and runs batches: the upstream's own API, this machine, or whichever there is",
        ),
    )
    folder: str = attrs.field(
        default="",
        metadata=_about(
            read.any_text, "where this machine keeps them; empty: `dragoman` in the user's folder for data"
        ),
    )
    concurrency: int = attrs.field(
        default=4,
        metadata=_about(read.whole(1, 1000), "requests of batches that this machine sends to the upstream at once"),
    )
    max_bytes: int = attrs.field(
        default=10 * 2**30, metadata=_about(_BYTES, "space that all files on this machine may take")
    )
    owner_secret: Secret | None = attrs.field(
        default=None,
        metadata=_about(
            read.secret,
            "what marks files and batches as a client's; set one to keep them when the upstream's key is replaced",
        ),
    )


@attrs.frozen
class TelemetrySettings:
    """Where spans and metrics are sent, as OTLP over HTTP. Nothing is sent, or imported, unless somebody says where."""

    endpoint: str = attrs.field(
        default="",
        metadata=_about(
            read.receiver_url,
            "base URL of an OTLP/HTTP receiver, or `off`; empty: what OTEL_EXPORTER_OTLP_ENDPOINT and its kin say",
        ),
    )
    headers: Mapping[str, Secret] = attrs.field(
        factory=lambda: MappingProxyType({}),
        metadata=_about(read.headers_by_name, "headers that every post to that receiver carries, such as its key"),
    )
    spans: bool = attrs.field(default=True, metadata=_about(read.boolean, "send spans to the receiver"))
    metrics: bool = attrs.field(default=True, metadata=_about(read.boolean, "send metrics to the receiver"))


@attrs.frozen
class Settings:
    """Everything that can be set. `upstream_chosen_by` is no setting: it says who chose the upstream, for people."""

    host: str = attrs.field(default="127.0.0.1", metadata=_about(read.any_text, "address to listen on"))
    port: int = attrs.field(
        default=8765, metadata=_about(read.whole(0, 65535), "port to listen on; 0 takes any that is free")
    )
    hosts: tuple[str, ...] = attrs.field(
        default=(),
        metadata=_about(read.names, "more names under which web pages and others may call, where no key is asked for"),
    )
    public_url: str = attrs.field(
        default="",
        metadata=_about(
            read.any_text, "address under which clients reach this server, where it is not the Host they name"
        ),
    )
    certfile: str = attrs.field(
        default="",
        metadata=_about(read.any_text, "certificate chain in PEM, to serve HTTPS and HTTP/2; with `keyfile`"),
    )
    keyfile: str = attrs.field(default="", metadata=_about(read.any_text, "the certificate's private key in PEM"))
    http1: Literal["dragoman", "hypercorn"] = attrs.field(
        default="dragoman",
        metadata=_about(read.choice("dragoman", "hypercorn"), "who speaks HTTP/1.1 on connections without TLS"),
    )
    draining: Literal["answer", "close"] = attrs.field(
        default="answer",
        metadata=_about(
            read.choice("answer", "close"),
            "what new connections meet while the server ends: the answer 529, or nobody, so that a proxy asks another",
        ),
    )
    workers: int = attrs.field(default=1, metadata=_about(read.whole(1, 256), "processes that share the port"))
    log_format: Literal["console", "json"] = attrs.field(
        default="console", metadata=_about(read.choice("console", "json"), "logs for people or for machines")
    )
    log_level: str = attrs.field(
        default="info",
        metadata=_about(read.choice("debug", "info", "warning", "error"), "the least grave thing that is logged"),
    )
    mode: Literal["permissive", "strict"] = attrs.field(
        default="permissive",
        metadata=_about(
            read.choice("permissive", "strict"),
            "what happens to what the upstream cannot do: the nearest faithful thing, reported, or a 400 that names it",
        ),
    )
    broken_promises: Literal["refuse", "report"] = attrs.field(
        default="refuse",
        metadata=_about(
            read.choice("refuse", "report"),
            "what becomes of blocked domains and regions that the upstream cannot keep: a 400, or a reported drop",
        ),
    )
    models: Models = attrs.field(
        factory=lambda: MappingProxyType({}),
        metadata=_about(
            read_models,
            "a client's model name or family word, and the upstream model for it; or what a model of any name is like",
        ),
    )
    fallback: str = attrs.field(
        default="",
        metadata=_about(
            read.any_text,
            "model that is asked after a refusal where a request leaves the choice to the server; empty: none",
        ),
    )
    client_keys: tuple[ClientKey, ...] = attrs.field(
        default=(),
        metadata=_about(
            read_client_keys,
            "keys of which a client must present one, by the names of those who have them; empty: none is asked",
        ),
    )
    page_key: Secret | None = attrs.field(
        default=None,
        metadata=_about(
            read.secret, "operator's key for the page at /dragoman/; without client_keys none is needed on this machine"
        ),
    )
    upstream: UpstreamSettings = attrs.field(factory=UpstreamSettings)
    limits: Limits = attrs.field(factory=Limits)
    timing: Timing = attrs.field(factory=Timing)
    safeguards: Safeguards = attrs.field(factory=Safeguards)
    fetch: FetchSettings = attrs.field(factory=FetchSettings)
    storage: StorageSettings = attrs.field(factory=StorageSettings)
    telemetry: TelemetrySettings = attrs.field(factory=TelemetrySettings)
    upstream_chosen_by: str = "default"


@attrs.frozen
class Setting:
    """What is known about one setting: how its value is read, what it means, and its default."""

    reader: Reader
    about: str
    default: object


def _catalogue(settings_class: type, prefix: str = "") -> dict[str, Setting]:
    built = settings_class()
    return {
        prefix + field.name: Setting(field.metadata[_READER], field.metadata[_ABOUT], getattr(built, field.name))
        for field in attrs.fields(settings_class)
        if _READER in field.metadata
    }


GROUPS: Mapping[str, type] = {
    "upstream": UpstreamSettings,
    "limits": Limits,
    "timing": Timing,
    "safeguards": Safeguards,
    "fetch": FetchSettings,
    "storage": StorageSettings,
    "telemetry": TelemetrySettings,
}
"""The nested groups of `Settings`: the first part of a dotted name."""

SETTINGS: Mapping[str, Setting] = MappingProxyType(
    _catalogue(Settings) | {k: v for name, group in GROUPS.items() for k, v in _catalogue(group, f"{name}.").items()}
)
"""Every setting by its dotted name, in the order of the classes above."""
