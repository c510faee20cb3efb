"""The client's marks for the cache: those that stand still become breakpoints, and each of them is accounted for."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import attrs
import pytest

from stages.canonical.request import Caller
from stages.mapper import Mapped, Target, map_request
from stages.tables.profiles import PROFILES, Profile
from stages.wire.messages_request import structure
from tests.support.judges import judge_upstream_request

OPENAI = PROFILES["openai"]
MARK = {"type": "ephemeral"}
LONG = {"type": "ephemeral", "ttl": "1h"}
BREAKPOINT = {"mode": "explicit"}
LASTING = {"mode": "explicit", "ttl": "12h"}
CALL = {"type": "tool_use", "id": "toolu_1", "name": "look", "input": {}}
PICTURE = {"type": "image", "source": {"type": "file", "file_id": "file_1"}}


def text(said: str, mark: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """A text block, with a mark or without."""
    return {"type": "text", "text": said} | ({"cache_control": mark} if mark is not None else {})


def result(content: Any, **more: Any) -> dict[str, Any]:
    """What came of the call."""
    return {"type": "tool_result", "tool_use_id": "toolu_1", "content": content, **more}


def user(*content: dict[str, Any]) -> dict[str, Any]:
    """What the user says."""
    return {"role": "user", "content": list(content)}


def mapped(*messages: dict[str, Any], model: str = "gpt-6.2-sol", profile: Profile = OPENAI, **more: Any) -> Mapped:
    """Translate a request, and have the upstream's judge look at it."""
    said = list(messages) or [user(text("Hello"))]
    request = structure({"model": model, "max_tokens": 1000, "messages": said, **more})
    return map_request(request, Caller(), Target(profile), message_id="msg_1")


def breakpoints(made: Mapped) -> list[tuple[str, dict[str, Any]]]:
    """Every breakpoint of a request, with the text before it."""
    lists = [item.get("content") or item.get("output") for item in made.body["input"]]
    parts = [part for parts in lists if isinstance(parts, list) for part in parts]
    return [
        (part.get("text") or part["type"], part["prompt_cache_breakpoint"])
        for part in parts
        if "prompt_cache_breakpoint" in part
    ]


def fates(made: Mapped) -> dict[str, str]:
    """What became of each mark, by its path."""
    return {note.path: note.disposition.value for note in made.report.notes if "cache_control" in note.path}


def test_the_system_prompt_keeps_its_marks() -> None:
    """Each marked block is the end of a prefix, and an emptied billing header moves none of them."""
    system = [text("", MARK), text("Be brief.", MARK), text("."), text("Ever.", LONG)]
    made = mapped(system=system)

    assert breakpoints(made) == [("Be brief.", BREAKPOINT), ("Ever.", LASTING)]
    assert fates(made) == {
        "system.0.cache_control": "emulated",
        "system.1.cache_control": "translated",
        "system.3.cache_control": "translated",
    }


def test_a_border_within_a_message_is_kept() -> None:
    """Between a document and a question there is one; at the end of a message a turn ended, once."""
    document = {"type": "document", "source": {"type": "file", "file_id": "file_1"}, "context": "c"}
    made = mapped(user({**document, "cache_control": LONG}, text("What is it?", MARK)))

    assert breakpoints(made) == [("input_file", LASTING)]
    assert fates(made) == {
        "messages.0.content.0.cache_control": "translated",
        "messages.0.content.1.cache_control": "emulated",
    }


def test_all_borders_are_sent() -> None:
    """The upstream takes the latest three by itself; to leave out an older one would change what stood before."""
    made = mapped(user(*(text(str(n), MARK) for n in range(6))), system=[text("s", MARK)])

    assert [said for said, _ in breakpoints(made)] == ["s", "0", "1", "2", "3", "4"]


@pytest.mark.parametrize(
    ("block", "more", "found"),
    [
        (result([text("a", MARK), PICTURE]), (), ["a"]),
        (result([text("a"), text("b", MARK)]), (text("next"),), ["b"]),
        (result([text("a"), PICTURE, text("")], cache_control=MARK), (text("next"),), ["input_image"]),
        (result([text("a"), text("b", MARK)]), (), []),
        (result([text("a"), text("b")], cache_control=MARK), (), []),
        (result([text("a", MARK)], cache_control=MARK), (text("next"),), []),
        (result("a", cache_control=MARK, is_error=True), (text("next"),), []),
        (result([], cache_control=MARK), (text("next"),), []),
    ],
)
def test_results_of_calls(block: dict[str, Any], more: tuple[dict[str, Any], ...], found: list[str]) -> None:
    """One that goes as a list can carry a breakpoint where the next turn will find it; one text stays one string."""
    asked = user(text("Look.")), {"role": "assistant", "content": [CALL]}
    made = mapped(*asked, user(block, *more), tools=[{"name": "look", "input_schema": {"type": "object"}}])
    bare = mapped(*asked, user(_bare(block), *more), tools=[{"name": "look", "input_schema": {"type": "object"}}])

    assert [said for said, _ in breakpoints(made)] == found
    assert _without(made.body["input"]) == bare.body["input"]
    assert set(fates(made).values()) == ({"translated"} if found else {"emulated"})


def bare_key(block: dict[str, Any]) -> str:
    """The cache key of a conversation that begins with a block without a mark."""
    return str(mapped(user(block)).body["prompt_cache_key"])


def _bare(block: dict[str, Any]) -> dict[str, Any]:
    content = block["content"]
    inner = content if isinstance(content, str) else [_bare_of(one) for one in content]
    return {**_bare_of(block), "content": inner}


def _bare_of(block: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in block.items() if key != "cache_control"}


def _without(value: Any) -> Any:
    """The same value without breakpoints."""
    if isinstance(value, list):
        return [_without(inner) for inner in value]
    if isinstance(value, dict):
        return {key: _without(inner) for key, inner in value.items() if key != "prompt_cache_breakpoint"}
    return value


def test_where_no_breakpoint_may_stand() -> None:
    """Marks on tools, on what the model said and within other blocks are covered by others, and said to be."""
    found = {"type": "search_result", "source": "u", "title": "t", "content": [text("x", MARK)]}
    pages = {"type": "document", "source": {"type": "content", "content": [text("y", MARK)]}}
    made = mapped(
        user(found, pages, text("?")),
        {"role": "assistant", "content": [text("Yes.", MARK), {**CALL, "cache_control": MARK}]},
        user(result("done"), text("And?")),
        tools=[
            {"name": "look", "input_schema": {"type": "object"}, "cache_control": MARK},
            {"type": "web_search_20250305", "name": "web_search", "cache_control": MARK},
        ],
    )

    assert breakpoints(made) == []
    assert fates(made) == dict.fromkeys(
        (
            "messages.0.content.0.content.0.cache_control",
            "messages.0.content.1.source.content.0.cache_control",
            "messages.1.content.0.cache_control",
            "messages.1.content.1.cache_control",
            "tools.0.cache_control",
            "tools.1.cache_control",
        ),
        "emulated",
    )


@pytest.mark.parametrize(("model", "profile"), [("gpt-5.5", "openai"), ("gpt-6.2-sol", "vllm"), ("mine", "openai")])
def test_who_takes_no_breakpoints_gets_none(model: str, profile: str) -> None:
    """Models before gpt-5.6 and servers of other makes cache by themselves."""
    messages = user(text("a", LONG), text("b", LONG))
    made = mapped(messages, model=model, profile=PROFILES[profile], system=[text("s", LONG)], cache_control=LONG)

    assert breakpoints(made) == []
    assert "prompt_cache_options" not in made.body
    assert set(fates(made).values()) == {"emulated"}


def test_without_a_developer_role_there_are_no_parts_to_mark() -> None:
    """The system prompt then goes as one text."""
    made = mapped(profile=attrs.evolve(OPENAI, developer_role=False), system=[text("s", MARK)])

    assert made.body["instructions"] == "s"
    assert fates(made) == {"system.0.cache_control": "emulated"}


def test_the_moving_mark_may_want_the_long_time() -> None:
    """The automatic breakpoint lasts as long as the request's options say; breakpoints say it themselves."""
    moving = mapped(user(text("a", LONG)))
    whole = mapped(cache_control=LONG)
    border = mapped(user(text("a", LONG), text("b")))

    assert [made.body.get("prompt_cache_options") for made in (moving, whole, border)] == [
        {"ttl": "12h"},
        {"ttl": "12h"},
        None,
    ]
    assert fates(whole) == {"cache_control": "translated"}
    assert fates(mapped(cache_control=MARK)) == {"cache_control": "emulated"}


def test_what_is_no_mark_is_none() -> None:
    """Null, and what is no object, mark nothing; another time to live is the shortest."""
    unmarked = {**text("s"), "cache_control": None}
    made = mapped(user(text("a", {"type": "ephemeral", "ttl": "7d"}), text("b")), system=[unmarked])

    assert breakpoints(made) == [("a", BREAKPOINT)]
    assert fates(made) == {"messages.0.content.0.cache_control": "translated"}


def test_blocks_without_words_of_their_own(shared: Path) -> None:
    """A block that is shown as it came is shown without its mark; and the upstream's judge finds nothing to say."""
    del shared
    upload = {"type": "container_upload", "file_id": "file_1"}
    made = mapped(user({**upload, "cache_control": LONG}, text("?", LONG)), system=[text("s", MARK)])
    bare = mapped(user(upload, text("?")))

    assert len(breakpoints(made)) == 2
    assert _without(made.body["input"][1:]) == bare.body["input"]
    assert mapped(user({**upload, "cache_control": LONG})).body["prompt_cache_key"] == bare_key(upload)
    assert judge_upstream_request(made.body) == []
