"""The fields of tools: the client's own, and those whose meaning Anthropic has fixed."""

from __future__ import annotations

from stages.tables.fields.row import CACHE, Fields, dropped, emulated, kept, same, translated

_CALLERS = dropped("the model itself calls every tool, and no program does", idle=(["direct"],))
_EXAMPLES = emulated("told in the description", idle=([],))
_NAME = translated("to the upstream's name of the tool")
_FETCHED = emulated("heeded here, where pages are read here (fetch.enabled)")
_NO_SETTING = "the upstream's tool has no such setting"
_INCLUSION = kept("leaves out results that code has asked for, and no code asks for any", idle=("full",))
_STRICT = translated("to strict, where the schema fits the upstream's subset")
_DEFERRED = translated("declared once a result refers to it")
_MEMBER = translated("to whether the function is declared")

_FUNCTION: Fields = {
    "name": _NAME,
    "strict": _STRICT,
    "defer_loading": _DEFERRED,
    "allowed_callers": _CALLERS,
    "input_examples": _EXAMPLES,
    **CACHE,
}
"""What a tool that the client runs may say, its own and Anthropic's."""

_HOSTED: Fields = {
    "name": _NAME,
    "strict": dropped(_NO_SETTING, idle=(False,)),
    "defer_loading": dropped(_NO_SETTING, idle=(False,)),
    "allowed_callers": _CALLERS,
    **CACHE,
}
"""What a tool that the server runs may say."""

TOOL_NODES: dict[str, Fields] = {
    "tool.custom": {
        **_FUNCTION,
        "description": kept("word for word"),
        "input_schema": translated("to parameters, mended where the upstream refuses them", inside="schema"),
        "eager_input_streaming": kept("arguments are always handed on as they come"),
    },
    "tool.bash": _FUNCTION,
    "tool.memory": _FUNCTION,
    "tool.text_editor": {**_FUNCTION, "max_characters": translated("told in the description")},
    "tool.computer": {
        **_FUNCTION,
        **same(
            translated("told in the description"),
            "display_width_px",
            "display_height_px",
            "display_number",
            "enable_zoom",
        ),
    },
    "tool.computer_toolset": {**same(_MEMBER, configs="members"), **CACHE},
    "tool.browser_toolset": {**same(_MEMBER, configs="members"), **CACHE},
    "tool.mcp_toolset": {
        "mcp_server_name": translated("to the server's label"),
        "default_config": translated("to the tools that are allowed", inside="mcp_member"),
        "configs": translated("to the tools that are allowed", inside="mcp_members"),
        "tools": translated("to the server's list, which leads the conversation", inside="mcp_tool", idle=([],)),
        **CACHE,
    },
    "tool.web_search": {
        **_HOSTED,
        "allowed_domains": translated("to filters.allowed_domains"),
        "blocked_domains": dropped("the upstream knows allowed domains alone", idle=([],)),
        "max_uses": translated("to max_tool_calls"),
        "user_location": translated("to user_location", inside="location"),
        "response_inclusion": _INCLUSION,
    },
    "tool.web_fetch": {
        **{name: row for name, row in _FUNCTION.items() if name != "input_examples"},
        **same(
            _FETCHED,
            "allowed_domains",
            "blocked_domains",
            "max_uses",
            "max_content_tokens",
            url_sources="url_sources",
        ),
        "use_cache": kept("every page is read anew"),
        "response_inclusion": _INCLUSION,
        "citations": emulated(
            "the text of a page is cited as a document's, where pages are read here (fetch.enabled)",
            "citations_config",
            ({"enabled": False},),
        ),
    },
    "tool.code_execution": _HOSTED,
    "tool.tool_search_tool_bm25": _HOSTED,
    "tool.tool_search_tool_regex": _HOSTED,
    "tool.advisor": {
        "name": _NAME,
        "defer_loading": _DEFERRED,
        "strict": _STRICT,
        "allowed_callers": _CALLERS,
        **same(emulated("heeded here, in the requests that are made for its calls"), "model", "max_uses", "max_tokens"),
        "caching": emulated("the upstream caches by itself", inside="cache_control"),
        **CACHE,
    },
    # What stands inside those.
    "location": same(translated("to user_location"), "city", "region", "country", "timezone"),
    "mcp_members": {"*": translated("by the tool's name", inside="mcp_member")},
    "mcp_member": {
        "enabled": translated("to the tools that are allowed"),
        "defer_loading": translated("to defer_loading of the server"),
    },
    "members": {"*": translated("by the member's name", inside="member")},
    "member": {"enabled": _MEMBER, "defer_loading": _DEFERRED},
    "url_sources": same(
        _FETCHED, client_tool_results="url_source", server_tool_results="url_source", user_input="url_source"
    ),
    "url_source.all": {},
    "url_source.none": {},
    "url_source.only": same(_FETCHED, tools="url_tool"),
    "url_source.except": same(_FETCHED, tools="url_tool"),
    "url_tool": same(_FETCHED, "name"),
}
"""Node to its fields; a date at the end of a tool's `type` does not matter."""
