"""Every field at the top of a request, and what becomes of it where no stage has more to say.

Source: `MessageCreateParams` of the Anthropic SDK 2.12.0, GA and beta; a test walks those types and fails when a
field has no row here.
"""

from __future__ import annotations

from stages.tables.fields.row import CACHE, FALLBACK, Fields, dropped, emulated, kept, translated

FIELDS: Fields = {
    "model": translated("to the upstream model that the settings name"),
    "messages": translated("to input items", inside="message"),
    "system": translated("to a developer message", inside="block"),
    "max_tokens": translated("to max_output_tokens; 0 to prompt_cache_options.prewarm where the model has it"),
    "metadata": translated("to safety_identifier and prompt_cache_key, hashed", inside="metadata"),
    "stop_sequences": emulated("the answer is searched here, and the upstream is left at the first match"),
    "stream": kept("the answer has the form that was asked for"),
    "temperature": kept("where the model takes it"),
    "top_p": kept("where the model takes it"),
    "top_k": dropped("the upstream has no such parameter"),
    "thinking": translated("to reasoning.effort and reasoning.summary", inside="thinking"),
    "output_config": translated("to reasoning.effort and text.format", inside="output_config"),
    "output_format": translated("to text.format", inside="format"),
    "tools": translated("to functions, and to tools that the upstream runs", inside="tool"),
    "tool_choice": translated("to tool_choice and parallel_tool_calls", inside="tool_choice"),
    "service_tier": translated("to the upstream's tiers"),
    "speed": translated("to the upstream's fast tier", idle=("standard",)),
    **CACHE,
    "context_management": translated(
        "to what is left of the conversation",
        inside="context_management",
        idle=({"edits": []}, {"edits": [{"type": "clear_thinking_20251015", "keep": "all"}]}),
    ),
    "container": translated("to the interpreter's container", inside="container"),
    "inference_geo": dropped("where the upstream computes is its account's setting", idle=("global",)),
    "diagnostics": emulated("compared with the turns that this process remembers", inside="diagnostics"),
    "mcp_servers": translated("to mcp tools", inside="mcp_server", idle=([],)),
    "compaction": emulated(
        "the upstream is asked for a summary, behind the same conversation", inside="compaction_config"
    ),
    "fallbacks": emulated(FALLBACK, inside="fallback_model", idle=([],)),
    "fallback_credit_token": dropped("billing is the upstream's", inside="credit_token"),
    "billing_policy": dropped("billing is the upstream's", inside="billing_policy"),
    "safeguards": dropped("no verdict is given here, and what it holds is not the upstream's business"),
    "user_profile_id": translated("to safety_identifier, hashed, where metadata names nobody"),
    "workspace_id": dropped("the upstream knows no workspaces"),
    "betas": kept("an argument of the SDK; every beta is tolerated"),
    "thread": dropped("no conversation is kept here", inside="thread"),
}
"""Field to disposition and reason."""
