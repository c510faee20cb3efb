"""Law 10: nothing is lost in silence.

Whatever a request says that we do not know, at its top or anywhere inside, is named by the report with the place where
it stands; what goes upstream is the same as without it.  What recorded requests say is accounted for in
`tests/end_to_end/test_mapping_coverage.py`, and every field that an SDK knows in `tests/stages/tables/test_fields.py`.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from stages.canonical.report import Disposition
from stages.canonical.request import Caller, Request
from stages.decoder import decode_request
from stages.mapper import Mapped, Target, map_request
from stages.tables.profiles import PROFILES
from stages.wire.json import mended
from tests.stages.strategies import JSON, TEXTS
from tests.support import samples
from tests.support.account import Account

_BODY = samples.request(
    {"role": "user", "content": list(samples.USERS.values())},
    {"role": "assistant", "content": [samples.TEXT, samples.CALL]},
    {"role": "user", "content": [samples.RESULTS["tool_result with a picture"], samples.TEXT]},
    {"role": "system", "content": [samples.TEXT], "output_config": {"effort": "low"}},
    {"role": "assistant", "content": [block for blocks in samples.ANSWERS.values() for block in blocks]},
    {"role": "user", "content": "go on"},
    system=[samples.TEXT, samples.TEXT],
    tools=[samples.LOOK, samples.LATE, samples.TOOLS["bash_20250124"], samples.TOOLS["web_search_20250305"]],
    tool_choice={"type": "auto"},
    thinking={"type": "adaptive"},
    output_config={"effort": "low", "format": {"type": "json_schema", "schema": {"type": "object"}}},
    metadata={"user_id": "somebody"},
)
WHOLE: dict[str, Any] = json.loads(json.dumps(_BODY))
"""A request with one of nearly everything; each part is an object of its own."""

FREE = ("input", "input_schema", "schema", "properties")
"""Fields with an inside of the client's own, where any name is known."""

SHOWN = {
    block["type"]
    for block in (*samples.USERS.values(), *(block for blocks in samples.ANSWERS.values() for block in blocks))
} - {"text", "image", "document", "search_result", "thinking", "redacted_thinking"}
"""Blocks that are shown as text with all that they say, so that a word about the block is enough."""

Place = tuple[str | int, ...]


def places(value: Any, path: Place = ()) -> Iterator[Place]:
    """All objects of a body that have fields of their own, blocks that are shown as a whole at their top alone."""
    if isinstance(value, dict):
        yield path
        if value.get("type") not in SHOWN:
            for name, inner in value.items():
                if name not in FREE:
                    yield from places(inner, (*path, name))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from places(inner, (*path, index))


PLACES = list(places(WHOLE))


def at(body: Any, place: Place) -> Any:
    """What stands at a place."""
    for step in place:
        body = body[step]
    return body


@st.composite
def additions(draw: st.DrawFn) -> dict[Place, dict[str, Any]]:
    """Fields that nobody knows, by place; a name may hold anything, dots included."""
    chosen = draw(st.lists(st.sampled_from(PLACES), min_size=1, max_size=5, unique=True))
    names = TEXTS.map(lambda text: f"x_{text}")
    return {place: draw(st.dictionaries(names, JSON, min_size=1, max_size=2)) for place in chosen}


def mapped(body: dict[str, Any], profile: str) -> Mapped:
    """Decode and map a body."""
    request = decode_request(json.dumps(body).encode())
    assert isinstance(request, Request), request
    return map_request(request, Caller(), Target(PROFILES[profile]), message_id="msg_1")


@given(additions(), st.sampled_from(sorted(PROFILES)))
def test_what_is_not_known_is_named(added: dict[Place, dict[str, Any]], profile: str) -> None:
    """Each unknown field is dropped with its own path and a reason, or its block is named, dropped or shown whole."""
    body = copy.deepcopy(WHOLE)
    for place, fields in added.items():
        at(body, place).update(fields)
    told = {note.path: note.disposition for note in mapped(body, profile).report.notes}

    for place, fields in added.items():
        path = ".".join(map(str, place))
        for name in fields:
            own = mended(f"{path}.{name}".removeprefix("."))  # a name may hold half a character
            above = [".".join(map(str, place[:length])) for length in range(1, len(place) + 1)]
            whole = at(WHOLE, place).get("type") in SHOWN and told.get(path) is Disposition.APPROXIMATED
            assert (
                whole or told.get(own) is Disposition.DROPPED or any(told.get(p) is Disposition.DROPPED for p in above)
            ), own


@given(additions(), st.sampled_from(sorted(PROFILES)))
def test_what_is_not_known_goes_nowhere(added: dict[Place, dict[str, Any]], profile: str) -> None:
    """The upstream gets the same bytes with and without it, but for blocks that are shown as text, whole."""
    body = copy.deepcopy(WHOLE)
    for place, fields in added.items():
        if at(body, place).get("type") not in SHOWN:
            at(body, place).update(fields)

    assert mapped(body, profile).body == mapped(WHOLE, profile).body


ODD: list[Any] = [{}, [], "", [{}], {"type": "x"}, [{"type": "ephemeral"}], None, True]
NONSENSE: st.SearchStrategy[Any] = st.one_of(JSON, st.sampled_from(ODD))


@given(st.sampled_from([place for place in PLACES if at(WHOLE, place)]), st.integers(0, 5), NONSENSE, st.data())
def test_nonsense_is_refused_or_accounted_for(place: Place, field: int, value: Any, data: st.DataObject) -> None:
    """Whatever stands in a field: the request is refused, or its report leaves nothing out."""
    body, profile = copy.deepcopy(WHOLE), data.draw(st.sampled_from(sorted(PROFILES)))
    spot = at(body, place)
    spot[sorted(spot)[field % len(spot)]] = copy.deepcopy(value)
    request = decode_request(json.dumps(body).encode())

    if isinstance(request, Request):
        notes = map_request(request, Caller(), Target(PROFILES[profile]), message_id="msg_1").report.notes
        assert Account({note.path: note.disposition for note in notes}).request(body) == []


def test_there_are_places() -> None:
    """The law is tried everywhere: at the top, in settings, tools, messages, blocks, sources, and blocks in blocks."""
    shapes = {".".join("#" if isinstance(step, int) else step for step in place) for place in PLACES}

    assert {"", "thinking", "output_config.format", "tools.#", "system.#", "messages.#", "metadata"} <= shapes
    assert {"messages.#.content.#", "messages.#.content.#.source", "messages.#.content.#.content.#"} <= shapes
    assert "messages.#.content.#.source.content.#" in shapes
    assert not [shape for shape in shapes if "input" in shape]
