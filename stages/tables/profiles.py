"""Upstream servers: what each lacks of the Responses API, so that it is not sent what it would refuse.

Source: `docs/facts/servers.md`, measured on the servers themselves; the clouds' guides say of Azure that keys stand in
`api-key` and tokens of Entra ID behind `Bearer`; of Bedrock that reasoning is sealed and nothing is run by the server
(`bedrock-runtime`, November 2026); of OpenRouter that nothing is stored. None of the three documents a count of input
tokens.
"""

from __future__ import annotations

from urllib.parse import urlsplit

import attrs

SPELLINGS = ("string", "item", "part")
"""How an assistant's text may be written: as a plain string, as an `output_text` in an item with an id and a status, as
servers return it, or as a bare `output_text`."""


@attrs.frozen
class Profile:
    """What a server takes.

    Attributes:
        name: what the settings call it.
        developer_role: whether it knows `developer` messages; else the system prompt goes into `instructions`.
        reasoning_replay: `encrypted` (sealed items), `content` (the reasoning as text) or `none`.
        input_tokens: whether it counts at `/responses/input_tokens`.
        assistant_text: how it takes the assistant's earlier texts: `string`, `item` or `part`, see `SPELLINGS`.
        cache_key: whether it takes `prompt_cache_key`, and `safety_identifier` with it.
        safety_identifier: whether it takes `safety_identifier`, where it takes the key.
        cache_breakpoints: whether it takes `prompt_cache_breakpoint` and `prompt_cache_options`, for models that do.
        include: whether it takes `include`.
        sealed: whether it can be asked for sealed reasoning there (`reasoning.encrypted_content`).
        effort: whether it takes `reasoning`.
        heeds_effort: whether an effort that it takes always reaches the model.
        efforts: the efforts that it takes, with commas between; empty: those of the model.
        summaries: whether it takes `reasoning.summary`; OpenAI itself refuses it to organisations it has not verified.
        store: whether it takes `store`.
        phases: whether it takes the `phase` of a message, from models that have one.
        sampling: whether it takes `temperature` and `top_p`, for models that do.
        service_tier: whether it takes `service_tier`.
        parallel_calls: whether it takes `parallel_tool_calls`.
        tool_limit: whether it takes `max_tool_calls`.
        files: whether it takes `input_file` parts.
        hosted: whether it has tools that it runs itself, such as a web search.
        obfuscation: whether it takes `stream_options.include_obfuscation`.
        always_stream: whether it is asked for a stream even for a client that wants none, because it computes an answer
            that is asked for whole to its end, whether anybody waits for it or not.
        streams: whether it streams; else it is asked for a whole answer, which becomes the client's stream.
        min_output_tokens: the least it takes as `max_output_tokens`.
        key_header: the header of its keys, which stand behind `Bearer` in `authorization` and alone in any other.
        named_choice: whether it obeys a `tool_choice` that names a function; else that one alone is offered, and
            some call is required.
        allowed_choice: whether it obeys a `tool_choice` that lists what may be called; else nothing else is declared.
        parallel_choice: whether it obeys `parallel_tool_calls`.
        format_field: where it looks for the format of an answer: `text`, or `response_format` as Chat has it.
        result_pictures: whether it shows the model pictures that stand in a call's output.
        tiers: whether it knows `service_tier`.
        tool_strict: whether it takes `strict` of a tool.
        image_detail: whether it takes `detail` of a picture.
        output_limit: whether it takes `max_output_tokens`; else the answer is cut here.
        additional_tools: whether it takes tools in the middle of a conversation, for models that do.
        configuration_updates: whether it takes a change of effort there, for models that do.
        tool_search: whether it searches among deferred tools, for models that do.
        schema_limits: whether it takes the lengths and patterns of any schema; else they are left out.
        system_role: whether its chat templates take a system prompt; else its text leads the user's first message.
        late_system: whether they take a system message behind others; else the user's side says it, as a reminder.
        role_repeats: whether they let one side speak twice in a row; else one message says it all.
        parallel_history: whether they take several calls at once; else each result stands right behind its call.
        long_call_ids: whether they take ids of calls of any length; else of nine letters and digits.
        keeps_files: whether it has the Files API.
        file_purpose: what files for models are called there.
        batches: whether it has the Batch API.
        local: whether it is an engine with models of its own, and none of OpenAI's.
        routes: whether it hands requests on to many vendors, and lists what their models hold.
    """

    name: str
    developer_role: bool = True
    reasoning_replay: str = "encrypted"
    assistant_text: str = "string"
    input_tokens: bool = True
    cache_key: bool = True
    safety_identifier: bool = True
    cache_breakpoints: bool = True
    include: bool = True
    sealed: bool = True
    effort: bool = True
    heeds_effort: bool = True
    efforts: str = ""
    summaries: bool = True
    store: bool = True
    phases: bool = True
    sampling: bool = True
    service_tier: bool = True
    parallel_calls: bool = True
    tool_limit: bool = True
    files: bool = True
    hosted: bool = True
    obfuscation: bool = True
    always_stream: bool = False
    streams: bool = True
    min_output_tokens: int = 16
    key_header: str = "authorization"
    named_choice: bool = True
    allowed_choice: bool = True
    parallel_choice: bool = True
    format_field: str = "text"
    result_pictures: bool = True
    tiers: bool = True
    tool_strict: bool = True
    image_detail: bool = True
    output_limit: bool = True
    additional_tools: bool = True
    configuration_updates: bool = True
    tool_search: bool = True
    schema_limits: bool = True
    system_role: bool = True
    late_system: bool = True
    role_repeats: bool = True
    parallel_history: bool = True
    long_call_ids: bool = True
    keeps_files: bool = True
    file_purpose: str = "user_data"
    batches: bool = True
    local: bool = False
    routes: bool = False


_OPENAI = Profile("openai")
_COMPATIBLE = Profile(
    "compatible",
    reasoning_replay="none",
    input_tokens=False,
    cache_key=False,
    cache_breakpoints=False,
    include=False,
    hosted=False,
    obfuscation=False,
    allowed_choice=False,
    keeps_files=False,
    batches=False,
)

PROFILES = {
    profile.name: profile
    for profile in (
        _OPENAI,
        attrs.evolve(_OPENAI, name="emulator"),
        attrs.evolve(_OPENAI, name="azure", key_header="api-key", file_purpose="assistants"),
        attrs.evolve(
            _OPENAI,
            name="bedrock",
            input_tokens=False,
            cache_breakpoints=False,
            hosted=False,
            obfuscation=False,
            keeps_files=False,
            batches=False,
        ),
        attrs.evolve(
            _OPENAI,
            name="openrouter",
            input_tokens=False,
            cache_breakpoints=False,
            obfuscation=False,
            routes=True,
            keeps_files=False,
            batches=False,
        ),
        Profile(
            "llama.cpp",
            reasoning_replay="content",
            assistant_text="part",
            cache_key=False,
            cache_breakpoints=False,
            include=False,
            files=False,
            hosted=False,
            obfuscation=False,
            always_stream=True,
            min_output_tokens=1,
            named_choice=False,
            allowed_choice=False,
            parallel_choice=False,
            format_field="response_format",
            result_pictures=False,
            tiers=False,
            heeds_effort=False,
            keeps_files=False,
            batches=False,
            local=True,
        ),
        attrs.evolve(_COMPATIBLE, name="vllm", local=True),
        attrs.evolve(_COMPATIBLE, name="ollama", local=True),
        attrs.evolve(_COMPATIBLE, name="lmstudio", local=True),
        _COMPATIBLE,
    )
}
"""Known servers by name."""

HOSTS = (
    (".openai.azure.com", "azure"),
    (".openai.azure.us", "azure"),
    (".cognitiveservices.azure.com", "azure"),
    (".services.ai.azure.com", "azure"),
    (".azure-api.net", "azure"),
    (".amazonaws.com", "bedrock"),
    (".api.aws", "bedrock"),
    ("openrouter.ai", "openrouter"),
    ("api.openai.com", "openai"),
)
"""How the name of a host ends, and the profile of who serves there."""

_EMULATOR = "emulator"


def known_host(url: str) -> Profile | None:
    """The profile of whoever serves at an address, where its host tells; None for a host that can be anybody's."""
    if url == _EMULATOR:
        return PROFILES[_EMULATOR]
    host = f".{(urlsplit(url).hostname or '').lower()}"
    name = next((name for end, name in HOSTS if host.endswith(end if end.startswith(".") else f".{end}")), None)
    return PROFILES[name] if name else None


def guess(url: str) -> Profile:
    """Guess the profile from the upstream's address: by its host where that tells, anything else in full.

    An unknown server is treated as the whole API, since leaving things out would lose them on a server that
    has them; it is looked at as well, and the settings name a profile for one that does not tell.
    """
    return known_host(url) or PROFILES["openai"]
