"""A small MCP server on standard input and output, for any Python: it has the tools that its arguments name.

Runs on its own, outside the checkout, under whatever interpreter the client finds.
"""

from __future__ import annotations

import json
import sys
from typing import Any


def answer(method: str, params: dict[str, Any]) -> dict[str, Any] | None:
    """Answer one request; None for a method that there is not."""
    if method == "initialize":
        about = {"name": "test", "version": "1"}
        return {"protocolVersion": params["protocolVersion"], "capabilities": {"tools": {}}, "serverInfo": about}
    if method == "tools/list":
        schema = {"type": "object", "properties": {"what": {"type": "string"}}, "required": ["what"]}
        return {"tools": [{"name": name, "description": "Rings", "inputSchema": schema} for name in sys.argv[1:]]}
    if method == "tools/call":
        text = f"heard of {params['arguments']['what']} in {params['name']}"
        return {"content": [{"type": "text", "text": text}]}
    return None


def main() -> None:
    """Answer one line after another until the client leaves."""
    for line in sys.stdin:
        message = json.loads(line)
        if "id" not in message:
            continue
        result = answer(message["method"], message.get("params") or {})
        said = {"error": {"code": -32601, "message": "no such method"}} if result is None else {"result": result}
        print(json.dumps({"jsonrpc": "2.0", "id": message["id"], **said}), flush=True)


if __name__ == "__main__":
    main()
