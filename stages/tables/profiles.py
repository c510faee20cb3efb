"""Upstream servers: what each lacks of the Responses API, so that it is not sent what it would refuse.

Source: `docs/facts/servers.md`, measured on the servers themselves.
"""

from __future__ import annotations

import attrs


@attrs.frozen
class Profile:
    """What a server takes.

    Attributes:
        name: what the settings call it.
        developer_role: whether it knows `developer` messages; else the system prompt goes into `instructions`.
        reasoning_replay: `encrypted` (sealed items), `content` (the reasoning as text) or `none`.
        input_tokens: whether it counts at `/responses/input_tokens`.
        cache_key: whether it takes `prompt_cache_key` and `safety_identifier`.
        cache_breakpoints: whether it takes `prompt_cache_breakpoint` and `prompt_cache_options`, for models that do.
        include: whether it takes `include`.
        effort: whether it takes `reasoning`.
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
    input_tokens: bool = True
    cache_key: bool = True
    cache_breakpoints: bool = True
    include: bool = True
    effort: bool = True
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
