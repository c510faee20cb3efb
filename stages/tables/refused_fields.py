"""Fields of a request that servers refuse: how each is named, and the field of a `Profile` that leaves it out.

A field that stands for a wish of the client's is left out only where it is not known at all: the report then says so,
as for any server whose profile lacks it.
"""

from __future__ import annotations

import re

import attrs


@attrs.frozen
class Field:
    """A row.

    Attributes:
        name: the field, as it stands in a request.
        change: the field of the profile that leaves it out when it is False.
        also: other names of it, and of what stands in it.
        words: how sentences speak of it; None for a name that is a word of English, which must stand as a name.
        wished: whether a client may have asked for it: then it must be unknown, and not just wrong.
    """

    name: str
    change: str
    also: tuple[str, ...] = ()
    words: str | None = None
    wished: bool = False

    def is_at(self, place: str) -> bool:
        """Whether a place in a request is this field's, or one inside it."""
        names = re.split(r"[.\[\]]+", place.strip(".]"))
        return any(_stands(other.split("."), names) for other in (self.name, *self.also))

    def is_named_in(self, sentence: str) -> bool:
        """Whether a sentence speaks of it."""
        pattern = self.words or "|".join(_as_a_name(other) for other in (self.name, *self.also))
        return re.search(pattern, sentence, re.IGNORECASE) is not None


def _stands(inner: list[str], names: list[str]) -> bool:
    """Whether names follow each other in a path, at its beginning or in an item of the input."""
    starts = range(len(names) - len(inner) + 1) if names[0] in ("input", "tools") else range(1)
    return any(names[at : at + len(inner)] == inner for at in starts)


_IN_FRONT = (
    r"parameters?(?:\(s\))?|fields?|arguments?|property|properties|keys?|options?|supplied|inputs?|permitted|"
    r"supported|support|inconnue?|desconocid[oa]|参数"
)
# What stands in front of a name that is a word of English.


def _as_a_name(name: str) -> str:
    escaped = re.escape(name)
    if "_" in name or "." in name:
        return rf"\b{escaped}\b"
    return (
        rf"['\"`]{escaped}['\"`]|(?:{_IN_FRONT})\W{{1,4}}{escaped}\b(?![._])|"
        rf"(?:^|^\D{{0,9}}\d{{3}} ){escaped}(?:\[\d{{1,4}}\])?(?:: | (?:is|are) )"
    )


EFFORT = Field(
    "reasoning.effort", "effort", ("reasoning_effort", "effort"), r"reasoning[._ ]effort|\beffort\b", wished=True
)

REFUSED_FIELDS = (
    Field(
        "reasoning.summary",
        "summaries",
        ("reasoning.generate_summary",),
        r"reasoning[._ ]summar|generate_summary|\bsummaries require",
    ),
    Field("reasoning.encrypted_content", "sealed", words=r"encrypted[ _]content"),
    Field("include", "include"),
    Field("prompt_cache_key", "cache_key"),
    Field("safety_identifier", "safety_identifier"),
    Field("prompt_cache_options", "cache_breakpoints", ("prompt_cache_breakpoint",)),
    Field("stream_options", "obfuscation", ("include_obfuscation",)),
    Field("store", "store"),
    Field("phase", "phases"),
    EFFORT,
    Field("reasoning", "effort", ("thinking",), wished=True),
    Field("strict", "tool_strict", words=r"\bstrict['\"`]|['\"`]strict\b|tools?[^\n ]{0,20}\.strict\b"),
    Field("detail", "image_detail", words=r"image[^\n]{0,20}\bdetail\b|\.detail\b"),
    Field("additional_tools", "additional_tools"),
    Field("configuration_update", "configuration_updates"),
    Field("tool_search", "tool_search", ("defer_loading", "namespace")),
    Field("tool_choice", "named_choice", words=r"tool_choice"),
    Field("tool_choice", "allowed_choice", words=r"allowed_tools|tool_choice"),
    Field("max_output_tokens", "output_limit", wished=True),
    Field("max_tool_calls", "tool_limit", wished=True),
    Field("parallel_tool_calls", "parallel_calls", wished=True),
    Field("service_tier", "service_tier", wished=True),
    Field("temperature", "sampling", ("top_p",), r"\btemperature\b|\btop_p\b", wished=True),
    Field("developer", "developer_role", words=r"['\"`]developer['\"`]|\bdeveloper (role|message)|role:? developer"),
)
"""The rows, the more precise before those that hold them."""
