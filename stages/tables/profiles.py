"""Upstream servers: what each lacks of the Responses API, so that it is not sent what it would refuse.

Source: `reference/engines.md`, measured on the servers themselves.
"""

from __future__ import annotations

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
        min_output_tokens: the least it takes as `max_output_tokens`.
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
    min_output_tokens: int = 16


PROFILES = {
    profile.name: profile
    for profile in (
        Profile("openai"),
        Profile("emulator"),
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
        ),
        Profile(
            "vllm",
            reasoning_replay="none",
            input_tokens=False,
            cache_key=False,
            cache_breakpoints=False,
            include=False,
            hosted=False,
            obfuscation=False,
        ),
        Profile(
            "compatible",
            reasoning_replay="none",
            input_tokens=False,
            cache_key=False,
            cache_breakpoints=False,
            include=False,
            hosted=False,
            obfuscation=False,
        ),
    )
}
"""Known servers by name."""


def guess(url: str) -> Profile:
    """Guess the profile from the upstream's address: OpenAI, Azure and the emulator by name, anything else in full.

    An unknown server is treated as the whole API, since leaving things out would lose them on a server that
    has them; the settings name a profile for one that does not.
    """
    return PROFILES["emulator" if url == "emulator" else "openai"]
