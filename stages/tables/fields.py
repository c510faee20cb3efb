"""Every field at the top of a request, and what becomes of it where no stage has more to say.

Source: `MessageCreateParams` of the Anthropic SDK 2.12.0, GA and beta; a test walks those types and fails when a
field has no row here.
"""

from __future__ import annotations

from stages.canonical.report import Fate

FIELDS: dict[str, tuple[Fate, str]] = {
    "model": (Fate.TRANSLATED, "to the upstream model that the settings name"),
    "messages": (Fate.TRANSLATED, "to input items"),
    "system": (Fate.TRANSLATED, "to a developer message"),
    "max_tokens": (Fate.TRANSLATED, "to max_output_tokens"),
    "metadata": (Fate.TRANSLATED, "to safety_identifier and prompt_cache_key, hashed"),
    "stop_sequences": (Fate.EMULATED, "the answer is searched here, and the upstream is left at the first match"),
    "stream": (Fate.KEPT, "the answer has the form that was asked for"),
    "temperature": (Fate.KEPT, "where the model takes it"),
    "top_p": (Fate.KEPT, "where the model takes it"),
    "top_k": (Fate.DROPPED, "the upstream has no such parameter"),
    "thinking": (Fate.TRANSLATED, "to reasoning.effort and reasoning.summary"),
    "output_config": (Fate.TRANSLATED, "to reasoning.effort and text.format"),
    "output_format": (Fate.TRANSLATED, "to text.format"),
    "tools": (Fate.TRANSLATED, "to functions"),
    "tool_choice": (Fate.TRANSLATED, "to tool_choice and parallel_tool_calls"),
    "service_tier": (Fate.TRANSLATED, "to the upstream's tiers"),
    "speed": (Fate.TRANSLATED, "to the upstream's fast tier"),
    "cache_control": (Fate.EMULATED, "the upstream caches by itself, and the rendered prefix never changes"),
    "context_management": (Fate.DROPPED, "no history is edited here"),
    "container": (Fate.DROPPED, "the upstream's containers are its own"),
    "inference_geo": (Fate.DROPPED, "where the upstream computes is its account's setting"),
    "diagnostics": (Fate.DROPPED, "the upstream tells no reason of a cache miss"),
    "mcp_servers": (Fate.DROPPED, "no counterpart yet"),
    "compaction": (Fate.DROPPED, "no counterpart upstream"),
    "fallbacks": (Fate.DROPPED, "no other model is asked after a refusal"),
    "fallback_credit_token": (Fate.DROPPED, "billing is the upstream's"),
    "billing_policy": (Fate.DROPPED, "billing is the upstream's"),
    "safeguards": (Fate.DROPPED, "no verdict is given here, and what it holds is not the upstream's business"),
    "user_profile_id": (Fate.DROPPED, "the upstream knows no profiles"),
    "workspace_id": (Fate.DROPPED, "the upstream knows no workspaces"),
    "betas": (Fate.KEPT, "an argument of the SDK; every beta is tolerated"),
    "thread": (Fate.DROPPED, "no conversation is kept here"),
}
"""Field to fate and reason."""

UNKNOWN = (Fate.DROPPED, "not a field that is known here")
"""A field that no row names: tolerated, and said."""
