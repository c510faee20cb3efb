"""The fields inside everything of a request that is neither a message nor a tool."""

from __future__ import annotations

from stages.tables.fields.row import CACHED, FALLBACK, Fields, dropped, emulated, same, translated

_CLEARED = emulated("old results of tools are cleared here, before the upstream reads the conversation")
_REASONED = emulated("reasoning of earlier turns is left out here", inside="amount", idle=("all", {"type": "all"}))
_COMPACTED = emulated("a conversation over the trigger is summed up here, and answered from the summary")
_DROP_BLOCK = "drop_block"
_BINDING = dropped(
    "reasoning that no longer fits is left out, as drop_block asks, and nothing else is done",
    inside="block_binding",
    idle=({"prefix_mismatch_behavior": _DROP_BLOCK},),
)
_COMPACTION = translated("to what the upstream is asked for a summary")
_THREAD = dropped("no conversation is kept here")
BUDGET = "told to the model, with an estimate of what is left of it behind each message that goes in"
"""What becomes of the tokens that a task may take."""

_EFFORT = translated("to reasoning.effort, at the nearest that the model takes")
_PARALLEL = translated("to parallel_tool_calls")

SETTING_NODES: dict[str, Fields] = {
    "message": {
        "role": translated("to the item's role; what a system message says is the developer's"),
        "content": translated("to items and parts, in order", inside="block"),
        "output_config": translated("to a change of effort in place, where the model takes it", inside="said_effort"),
        "clear_at": emulated("what was said for one turn alone is left out of later ones", idle=("never",)),
    },
    "said_effort": {"effort": translated("to a change of effort in place, where the model takes it")},
    "metadata": {"user_id": translated("to safety_identifier and prompt_cache_key, hashed")},
    "thinking.enabled": {
        "budget_tokens": translated("to the effort that would spend it"),
        "display": translated("to whether summaries are asked for"),
        "block_binding": _BINDING,
    },
    "thinking.adaptive": {
        "budget_tokens": translated("to the effort that would spend it"),
        "display": translated("to whether summaries are asked for"),
        "block_binding": _BINDING,
    },
    "thinking.disabled": {},
    "thinking.between_tools": {},
    "block_binding": {
        "prefix_mismatch_behavior": dropped(
            "reasoning that no longer fits is left out, as drop_block asks, and nothing else is done",
            idle=(_DROP_BLOCK,),
        )
    },
    "output_config": {
        "effort": _EFFORT,
        "format": translated("to text.format", inside="format"),
        "task_budget": emulated(BUDGET, inside="task_budget"),
    },
    "format.json_schema": {"schema": translated("to the format's schema", inside="schema")},
    "task_budget": same(emulated(BUDGET), "total", "remaining"),
    "tool_choice.auto": {"disable_parallel_tool_use": _PARALLEL},
    "tool_choice.any": {"disable_parallel_tool_use": _PARALLEL},
    "tool_choice.tool": {"name": translated("to the function's name"), "disable_parallel_tool_use": _PARALLEL},
    "tool_choice.none": {},
    "cache_control": same(emulated(CACHED), "ttl"),
    "schema": {"*": translated("to the same keyword; what the upstream refuses is mended, and that is said")},
    "mcp_server": {
        "name": translated("to the server's label"),
        "url": translated("to the server's address"),
        "authorization_token": translated("to the upstream's authorization for this server"),
        "tool_configuration": translated("to the tools that are allowed", inside="mcp_configuration"),
    },
    "mcp_configuration": {
        "allowed_tools": translated("to the tools that are allowed"),
        "enabled": translated("to whether the server is declared"),
    },
    "context_management": same(translated("to what is left of the conversation"), edits="edit"),
    "edit.clear_tool_uses": same(
        _CLEARED, "clear_tool_inputs", "exclude_tools", trigger="amount", keep="amount", clear_at_least="amount"
    ),
    "edit.clear_thinking": {"keep": _REASONED},
    "edit.compact": same(_COMPACTED, "instructions", "pause_after_compaction", trigger="amount"),
    "amount": same(translated("to the limit of an edit"), "value"),
    "container": {
        "id": translated("to the interpreter's container"),
        "skills": dropped("the upstream's interpreter has no skills", inside="skill", idle=([],)),
    },
    "skill": same(dropped("the upstream's interpreter has no skills"), "skill_id", "version"),
    "diagnostics": same(emulated("compared with the turns that this process remembers"), "previous_message_id"),
    "compaction_config": same(_COMPACTION, "instructions"),
    "fallback_model": same(
        emulated(FALLBACK), "model", "max_tokens", "speed", thinking="thinking", output_config="output_config"
    ),
    "credit_token": same(dropped("billing is the upstream's"), "mode", "token"),
    "billing_policy": same(dropped("billing is the upstream's"), "bill_to"),
    "thread": same(_THREAD, "previous_message_id"),
    "caller.direct": {},
    "caller": same(dropped("the model itself calls every tool"), "tool_id"),
    "transformations": {"oversized_image": dropped("the upstream makes a large picture smaller", idle=("downsize",))},
    "citations_config": same(translated("to marks by which the model cites", idle=(False,)), "enabled"),
}
"""Node to its fields; nodes of a group are told apart by their `type`, as in `thinking.enabled`."""
