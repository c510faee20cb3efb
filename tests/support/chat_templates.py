"""Chat templates that refuse what their authors did not think of: as rules about the messages that an engine makes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import attrs

ChatMessage = dict[str, Any]
"""A message as the engine hands it to a template: a role, and the ids of its calls."""


def chat(body: dict[str, Any]) -> list[ChatMessage]:
    """The messages that an engine makes of a Responses request: calls join the assistant's message before them."""
    messages: list[ChatMessage] = []
    if "instructions" in body:
        messages.append({"role": "system", "calls": []})
    for item in body["input"]:
        if item["type"] == "function_call":
            if not messages or messages[-1]["role"] != "assistant":
                messages.append({"role": "assistant", "calls": []})
            messages[-1]["calls"].append(item["call_id"])
        elif item["type"] == "function_call_output":
            messages.append({"role": "tool", "calls": []})
        elif item["type"] == "message":
            role = "system" if item["role"] == "developer" else item["role"]
            messages.append({"role": role, "calls": []})
    return messages


def _late(messages: list[ChatMessage]) -> bool:
    return any(message["role"] == "system" for message in messages[1:])


def _any_system(messages: list[ChatMessage]) -> bool:
    return any(message["role"] == "system" for message in messages)


def _out_of_turn(messages: list[ChatMessage]) -> bool:
    """Calls, results and system messages are left out of the count."""
    spoken = [each["role"] for each in messages if each["role"] in ("user", "assistant") and not each["calls"]]
    return any((role == "user") != (at % 2 == 0) for at, role in enumerate(spoken))


def _several_calls(messages: list[ChatMessage]) -> bool:
    return any(len(message["calls"]) > 1 for message in messages)


def _other_ids(messages: list[ChatMessage]) -> bool:
    return any(len(ident) != 9 or not ident.isalnum() for message in messages for ident in message["calls"])


@attrs.frozen
class Template:
    """A rule of a template.

    Attributes:
        refuses: whether it refuses such messages.
        says: what it raises then.
        lacks: the fields of a profile that lack what it refuses.
    """

    refuses: Callable[[list[ChatMessage]], bool]
    says: str
    lacks: frozenset[str]


TEMPLATES = {
    "qwen": Template(_late, "System message must be at the beginning.", frozenset({"late_system"})),
    "gemma": Template(_any_system, "System role not supported", frozenset({"late_system", "system_role"})),
    "mistral": Template(
        _out_of_turn,
        "After the optional system message, conversation roles must alternate user and assistant roles except for tool "
        "calls and results.",
        frozenset({"late_system", "role_repeats"}),
    ),
    "llama": Template(
        _several_calls, "This model only supports single tool-calls at once!", frozenset({"parallel_history"})
    ),
    "nemo": Template(
        _other_ids,
        "Tool call IDs should be alphanumeric strings with length 9!",
        frozenset({"long_call_ids"}),
    ),
}
"""The rules by the family of models that is known for them."""


def as_jinja(name: str) -> str:
    """The same rule as a part of a real template, for a real engine."""
    refusal = f"{{{{- raise_exception('{TEMPLATES[name].says}') }}}}"
    return (
        _JINJA[name].replace("REFUSE", refusal).replace("EACH", "{%- for m in messages %}").replace("END", "endfor %}")
    )


_JINJA = {
    "qwen": "EACH{%- if m.role == 'system' and not loop.first %}REFUSE{%- endif %}{%- END",
    "gemma": "EACH{%- if m.role == 'system' %}REFUSE{%- endif %}{%- END",
    "mistral": "{%- set ns = namespace(at=0) %}"
    "EACH{%- if m.role == 'user' or (m.role == 'assistant' and not m.tool_calls) %}"
    "{%- if (m.role == 'user') != (ns.at % 2 == 0) %}REFUSE{%- endif %}{%- set ns.at = ns.at + 1 %}{%- endif %}{%- END",
    "llama": "EACH{%- if m.tool_calls and m.tool_calls|length > 1 %}REFUSE{%- endif %}{%- END",
    "nemo": "EACH{%- for c in (m.tool_calls or []) %}{%- if c.id|length != 9 %}REFUSE{%- endif %}{%- END{%- END",
}


def _of_llama_cpp(sentence: str) -> dict[str, Any]:
    """With the source around it, in which everything stands that a template can speak of."""
    quoted = "...messages[0]['role'] == 'developer' and tools %}{{- raise_exception('" + sentence[:20]
    said = (
        "Unable to generate parser for this template. Automatic parser generation failed: \n------------\n"
        f"While executing CallExpression at line 1, column 91 in source:\n{quoted}...\n"
        f"                     ^\nError: Jinja Exception: {sentence}"
    )
    return {"error": {"code": 400, "message": said, "type": "invalid_request_error"}}


ENGINES: dict[str, Callable[[str], dict[str, Any]]] = {
    "llama.cpp": _of_llama_cpp,
    "vllm": lambda said: {"error": {"message": said, "type": "BadRequestError", "param": None, "code": 400}},
    "lmstudio": lambda said: {
        "error": f'Error rendering prompt with jinja template: "{said}". This is usually an issue with the model\'s '
        "prompt template. If you are using a popular model, you can try to search the model under lmstudio-community, "
        "which will have fixed prompt templates."
    },
    "old llama.cpp": lambda said: {"error": {"code": 500, "message": said + " at row 1", "type": "server_error"}},
}
"""How engines hand on what a template raises."""
