"""The fields of content blocks, of their sources, and of what they cite."""

from __future__ import annotations

import attrs

from stages.tables.fields.row import CACHE, Fields, approximated, dropped, kept, same, translated

SHOWN = translated("is in the text that the block is shown as")
"""A field of a block that is shown as text, since the upstream has none like it."""

LOOKED_UP = "to marks by which the model cites; each place is looked up in the source here"
"""What becomes of a wish for citations."""

_CITED = dropped("where an earlier text came from is told again only if it was told here")
_CITATIONS = translated(LOOKED_UP, "citations_config", ({"enabled": False},))
_MARKED = translated("to the marks by which the model cites, where what it cites is in the request")
_CALLER = dropped("the model itself calls every tool", "caller", ({"type": "direct"},))
_TOOLSET = translated("to the function's name, of which it is a part")
_ADDED = translated("to additional_tools in its place, or to a tool behind all others")
_REMOVED = translated("to tool_choice, which lists what may still be called")
_CHANGED = translated("to the upstream's name of it")
_LISTED = translated("to the list of a server that is declared; else it says nothing")
_UNREADABLE = dropped("nobody but its own service can read it")
_UNSHOWN = kept("for the server alone: a model of Anthropic's is not shown it either")
_SEALED = translated("to the reasoning item that it was made of")


AS_TEXT = translated(
    "to the item of a call that was told here, or to the text that another service's block is shown as"
)
"""A field of a block about a call that a server has run, where the upstream has such calls too."""


def _shown(*names: str, **inside: str) -> Fields:
    """Give the fields of a block that is shown as text, whole."""
    return same(SHOWN, *names, **inside)


def _result() -> Fields:
    """Give the fields of what came of a call that only Anthropic's servers can run."""
    return {**_shown("tool_use_id", content="result"), **CACHE}


_RAN = {**same(AS_TEXT, "tool_use_id", content="result"), **CACHE}

BLOCK_NODES: dict[str, Fields] = {
    "block.text": {
        "text": kept("as a part of its own; an empty one is left out"),
        "citations": attrs.evolve(_CITED, inside="citation", idle=([],)),
        **CACHE,
    },
    "block.image": {
        "source": translated("to image_url or file_id", inside="source"),
        "transformations": kept("where it asks for what the upstream does", inside="transformations"),
        **CACHE,
    },
    "block.document": {
        "source": translated("to a file or to text", inside="source"),
        "title": translated("to the file's name, or to a line above the text"),
        "context": translated("to a text before the document"),
        "citations": _CITATIONS,
        **CACHE,
    },
    "block.search_result": {
        "source": translated("to a line above the text"),
        "title": translated("to a line above the text"),
        "content": translated("to text", inside="block"),
        "citations": _CITATIONS,
        **CACHE,
    },
    "block.thinking": same(_SEALED, "thinking", "signature"),
    "block.redacted_thinking": {"data": dropped("only the service that sealed it can read it")},
    "block.tool_use": {
        "id": translated("to call_id"),
        "name": translated("to the function's name"),
        "input": translated("to arguments"),
        "caller": _CALLER,
        "toolset_name": _TOOLSET,
        **CACHE,
    },
    "block.tool_result": {
        "tool_use_id": translated("to call_id"),
        "content": translated("to output", inside="block"),
        "is_error": translated("to a mark that leads the output"),
        "toolset_name": _TOOLSET,
        **CACHE,
    },
    "block.tool_reference": {"tool_name": translated("to the tool's declaration, from there on"), **CACHE},
    "block.server_tool_use": {**same(AS_TEXT, "id", "name", "input"), "caller": _CALLER, **CACHE},
    "block.web_search_tool_result": {**_RAN, "caller": _CALLER},
    "block.web_fetch_tool_result": {**_RAN, "caller": _CALLER},
    "block.code_execution_tool_result": _RAN,
    "block.bash_code_execution_tool_result": _result(),
    "block.text_editor_code_execution_tool_result": _result(),
    "block.tool_search_tool_result": _RAN,
    "block.advisor_tool_result": _RAN,
    "block.container_upload": {**_shown("file_id"), **CACHE},
    "block.mcp_tool_use": {**same(AS_TEXT, "id", "name", "input", "server_name"), **CACHE},
    "block.mcp_tool_result": {**same(AS_TEXT, "tool_use_id", "is_error", content="block"), **CACHE},
    "block.mcp_tool_listing": same(_LISTED, "mcp_server_name", tools="mcp_tool"),
    "block.browser_state": {**_shown(tabs="tab", state_changes="state_change"), **CACHE},
    "block.compaction": {
        "content": translated("to a text of the user's, in the place of what it sums up"),
        "signature": kept("where it is ours: the summary must be the one that was told"),
        "encrypted_content": _UNREADABLE,
        "tool_changes": translated("to the tools that are there behind the summary", inside="block"),
        **CACHE,
    },
    "block.fallback": same(_UNSHOWN, "trigger", **{"from": "model_name", "to": "model_name"}),
    "block.tool_addition": {**same(_ADDED, tool="tool_change"), **CACHE},
    "block.tool_removal": {**same(_REMOVED, tool="tool_change"), **CACHE},
    # What stands inside those.
    "source.base64": {
        "media_type": translated("to the data URL's type"),
        "data": translated("to a data URL"),
    },
    "source.url": {"url": kept("the upstream fetches it")},
    "source.file": {"file_id": kept("as the upstream's file_id")},
    "source.text": {"media_type": translated("to text, which is all that it may say"), "data": translated("to text")},
    "source.content": {"content": translated("to text and pictures", inside="block")},
    "citation.char_location": same(
        _MARKED, "cited_text", "document_index", "document_title", "start_char_index", "end_char_index"
    ),
    "citation.page_location": same(
        _CITED, "cited_text", "document_index", "document_title", "start_page_number", "end_page_number"
    ),
    "citation.content_block_location": same(
        _MARKED, "cited_text", "document_index", "document_title", "start_block_index", "end_block_index"
    ),
    "citation.web_search_result_location": same(_CITED, "cited_text", "encrypted_index", "title", "url"),
    "citation.search_result_location": same(
        _MARKED, "cited_text", "source", "title", "search_result_index", "start_block_index", "end_block_index"
    ),
    "tab": _shown("active", "tab_id", "title", "url"),
    "state_change.tab_opened": _shown("tab_id"),
    "state_change.download_started": same(_UNSHOWN, "download_id", "url"),
    "state_change.download_completed": same(_UNSHOWN, "download_id", "path", "size_bytes", "url"),
    "state_change.download_failed": same(_UNSHOWN, "download_id", "error", "url"),
    "model_name": same(_UNSHOWN, "model"),
    "mcp_tool": same(_LISTED, "name", "description", input_schema="schema"),
    "tool_change.tool_reference": same(_CHANGED, "name"),
    "tool_change.mcp_tool_reference": {
        "name": approximated("the model is told so; the upstream offers the tools of a server together"),
        "server_name": _CHANGED,
    },
    "tool_change.mcp_toolset_reference": same(_CHANGED, "server_name"),
    "tool_change.tool_definition": {"definition": translated("to the upstream's declaration", inside="tool")},
    "result.web_search_result": {
        "url": translated("to a source of the search"),
        **same(
            translated("made here, out of the address; what another service has sealed is said to be lost"),
            "title",
            "encrypted_content",
            "page_age",
        ),
    },
    "result.web_fetch_result": _shown("url", "retrieved_at", content="block"),
    "result.code_execution_result": _shown("stdout", "stderr", "return_code", content="result"),
    "result.encrypted_code_execution_result": {
        **_shown("stderr", "return_code", content="result"),
        "encrypted_stdout": _UNREADABLE,
    },
    "result.bash_code_execution_result": _shown("stdout", "stderr", "return_code", content="result"),
    "result.code_execution_output": _shown("file_id"),
    "result.bash_code_execution_output": _shown("file_id"),
    "result.text_editor_code_execution_view_result": _shown(
        "content", "file_type", "num_lines", "start_line", "total_lines"
    ),
    "result.text_editor_code_execution_create_result": _shown("is_file_update"),
    "result.text_editor_code_execution_str_replace_result": _shown(
        "lines", "new_lines", "new_start", "old_lines", "old_start"
    ),
    "result.tool_search_tool_search_result": _shown(tool_references="block"),
    "result.advisor_result": _shown("text", "stop_reason"),
    "result.advisor_redacted_result": {**_shown("stop_reason"), "encrypted_content": _UNREADABLE},
    **{
        f"result.{name}_error": _shown("error_code", "error_message")
        for name in ("text_editor_code_execution_tool_result", "tool_search_tool_result")
    },
    **{
        f"result.{name}_error": _shown("error_code")
        for name in (
            "web_search_tool_result",
            "web_fetch_tool_result",
            "code_execution_tool_result",
            "bash_code_execution_tool_result",
            "advisor_tool_result",
        )
    },
}
"""Node to its fields; nodes of a group are told apart by their `type`."""
