"""Names and ids that one API allows and the other does not, mapped both ways, always to the same result.

Nothing is remembered between requests: the same name becomes the same name in every turn (law 9).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection

import attrs

_TOOL_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}\Z")
_NOT_IN_NAMES = re.compile(r"[^a-zA-Z0-9_-]")
_CALL_ID = re.compile(r"[a-zA-Z0-9_-]{1,64}\Z")
_WORDS = re.compile(r"[a-zA-Z0-9_-]+")
_LONGEST_NAME = 256
# Characters of a call's name in which a tool's is looked for.
_NAMESPACES = ("functions_", "tools_", "default_api_")
# What stands in front of a name that gateways have made one word.

TOOL_USE_PREFIX = "toolu_"
"""What Anthropic's ids of calls start with."""

CALL_PREFIX = "call_"
"""What OpenAI's ids of calls start with."""

FILE_PREFIX, UPSTREAM_FILE_PREFIX = "file_", "file-"
"""What the two services' ids of files start with."""

FILE_SEAL = re.compile(r"_([0-9a-f]{16})\Z")
"""What may stand at the end of a client's id of a file, to say whose it is; ids of the upstream have no such end."""

_CODE_FILE = re.compile(r"file_cntr_([A-Za-z0-9]{1,100})-cfile-([A-Za-z0-9]{1,100})\Z")
_CONTAINER, _CONTAINER_FILE = re.compile(r"cntr_([A-Za-z0-9]{1,100})\Z"), re.compile(r"cfile_([A-Za-z0-9]{1,100})\Z")
_DATE = re.compile(r"_\d{8}\Z")
SHARED_KEY = "shared_"
"""What a cache key starts with that several conversations have, because they ask about the same long prompt."""

_KEPT = 48
_DIGEST = 15


def digest(text: str, length: int) -> str:
    """Hash a text to `length` hexadecimal characters."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:length]


def undated_type(kind: str) -> str:
    """The `type` of a tool without the date at its end, as `web_search_20250305` has one."""
    return _DATE.sub("", kind)


def upstream_tool_name(name: str) -> str:
    """Fit a tool's name into 64 characters of `[A-Za-z0-9_-]`; a name that fits stays as it is.

    Otherwise the beginning stays readable and a hash of the whole keeps it apart from its neighbours.
    """
    if _TOOL_NAME.match(name):
        return name
    return f"{_NOT_IN_NAMES.sub('_', name)[:_KEPT]}_{digest(name, _DIGEST)}"


def called_name(said: str, declared: Collection[str]) -> str:
    """Which of the declared tools a call names: `functions.Read`, `Read<|channel|>commentary`, `read` and ` Read` do.

    Models write the namespace of their training in front, and servers leave tokens of a template behind.  A name that
    means none of the tools stays as it is: the client says so, and the model hears it.

    Source: gpt-oss on vLLM and Ollama, GPT-5.6 (`functions.`), Gemini (`default_api.`), GLM on MLX (a line feed).
    """
    if said in declared:
        return said
    words = _WORDS.findall(said[:_LONGEST_NAME])
    words += [word.removeprefix(space) for word in words for space in _NAMESPACES]
    anyhow = {name.lower(): name for name in declared}
    exact = (word for word in words if word in declared)
    return next(exact, next((anyhow[word.lower()] for word in words if word.lower() in anyhow), said))


def tool_use_id(call_id: str) -> str:
    """Give an upstream's `call_id` the form of a `tool_use` id; `call_id_of` undoes it."""
    if _CALL_ID.match(call_id):
        return TOOL_USE_PREFIX + call_id
    return f"{TOOL_USE_PREFIX}{CALL_PREFIX}{digest(call_id, 40)}"


def call_id_of(tool_use: str) -> str:
    """Give a client's `tool_use` id the form of a `call_id`, at most 64 characters.

    An id that `tool_use_id` made becomes exactly what the upstream had said, because changed ids count as a changed
    history.  Every other id stays as it is if it fits, and is hashed if not; one that could be mistaken for an
    undone one is hashed too, so that two ids never become one.
    """
    undone = tool_use.removeprefix(TOOL_USE_PREFIX)
    if undone != tool_use and undone.startswith(CALL_PREFIX) and _CALL_ID.match(undone):
        return undone
    if _CALL_ID.match(tool_use) and not tool_use.startswith(CALL_PREFIX):
        return tool_use
    return f"hashed_{digest(tool_use, 40)}"


def upstream_file_id(client: str) -> str:
    """Give a client's id of a file the upstream's form, without the seal that says whose it is.

    One that the upstream's own API gave out stays as it is.
    """
    client = FILE_SEAL.sub("", client)
    ident = client.removeprefix(FILE_PREFIX)
    return client if ident == client else UPSTREAM_FILE_PREFIX + ident


def client_file_id(upstream: str) -> str:
    """Give an upstream's id of a file the client's form; `upstream_file_id` undoes it, once the seal is off."""
    ident = upstream.removeprefix(UPSTREAM_FILE_PREFIX)
    return upstream if ident == upstream else FILE_PREFIX + ident


@attrs.frozen
class CodeFile:
    """A file that code has made, by the upstream's ids: of the container that it lies in, and its own there."""

    container: str
    file: str

    @classmethod
    def of(cls, client: str) -> CodeFile | None:
        """Read a client's id, once the seal is off; None for that of any other file."""
        found = _CODE_FILE.match(client)
        return None if found is None else cls(f"cntr_{found[1]}", f"cfile_{found[2]}")

    @property
    def client_id(self) -> str | None:
        """The client's id; `of` undoes it. None where the upstream's ids have another form than its own API's."""
        container, file = _CONTAINER.match(self.container), _CONTAINER_FILE.match(self.file)
        return None if container is None or file is None else f"file_cntr_{container[1]}-cfile-{file[1]}"
