"""Names and ids are mapped deterministically, into what the other API allows, and never two to one."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stages.tables.identifiers import (
    FILE_SEAL,
    CodeFile,
    call_id_of,
    called_name,
    digest,
    tool_use_id,
    undated_type,
    upstream_file_id,
    upstream_tool_name,
)
from tests.stages.strategies import TEXTS

ALLOWED = re.compile(r"[A-Za-z0-9_-]{1,64}\Z")
FITTING = st.from_regex(r"\A[A-Za-z0-9_-]{1,64}\Z")
IDS = st.one_of(
    TEXTS,
    FITTING,
    st.builds(
        str.__add__, st.sampled_from(["call_", "toolu_", "toolu_call_", "toolu_toolu_"]), st.text("ab1_", max_size=70)
    ),
)
NAMES = st.one_of(TEXTS, FITTING, st.text("ab.-/ ", max_size=80))


@given(NAMES, NAMES)
def test_tool_names_fit_and_stay_apart(one: str, other: str) -> None:
    """Any name fits upstream, the same each time, and two names never become one."""
    assert ALLOWED.match(upstream_tool_name(one))
    assert upstream_tool_name(one) == upstream_tool_name(one)
    assert (upstream_tool_name(one) == upstream_tool_name(other)) == (one == other)


@given(FITTING)
def test_a_name_that_fits_stays(name: str) -> None:
    """What needs no change is not changed."""
    assert upstream_tool_name(name) == name


@pytest.mark.parametrize(
    ("said", "called"),
    [
        ("Bash", "Bash"),
        ("functions.Bash", "Bash"),
        ("functions_Bash", "Bash"),
        ("default_api:mcp__a__b", "mcp__a__b"),
        ("Bash<|channel|>commentary", "Bash"),
        ("functions.Bash<|constrain|>json", "Bash"),
        ("Bash\n", "Bash"),
        ("bash", "Bash"),
        ("Bashful", "Bashful"),
        ("multi_tool_use.parallel", "multi_tool_use.parallel"),
        ("x" * 300 + ".Bash", "x" * 300 + ".Bash"),
    ],
)
def test_a_call_means_a_declared_tool(said: str, called: str) -> None:
    """What stands around a tool's name does not count; what means no tool is left to the client."""
    assert called_name(said, {"Bash": "Bash", "mcp__a__b": "mcp.a.b"}) == called


@given(NAMES, st.lists(NAMES, max_size=3))
def test_declared_names_are_never_changed(name: str, others: list[str]) -> None:
    """What is called by its own name is called, whatever else there is."""
    assert called_name(name, {name, *others}) == name


@given(NAMES)
def test_a_changed_name_needs_no_other_change(name: str) -> None:
    """What was fitted fits."""
    assert upstream_tool_name(upstream_tool_name(name)) == upstream_tool_name(name)


@pytest.mark.parametrize(
    ("name", "beginning"),
    [
        ("mcp__files.read/all", "mcp__files_read_all_"),
        ("x" * 65, "x" * 48 + "_"),
        ("naïve", "na_ve_"),
        ("line\n", "line__"),
    ],
)
def test_the_beginning_stays_readable(name: str, beginning: str) -> None:
    """A person who reads the upstream's log recognises the tool."""
    assert upstream_tool_name(name).startswith(beginning)


@given(IDS, IDS)
def test_call_ids_fit_and_stay_apart(one: str, other: str) -> None:
    """Any id of a client fits upstream, the same each time, and two ids never become one."""
    assert ALLOWED.match(call_id_of(one))
    assert call_id_of(one) == call_id_of(one)
    assert (call_id_of(one) == call_id_of(other)) == (one == other)


@given(st.from_regex(r"\Acall_[A-Za-z0-9_-]{1,59}\Z"))
def test_an_upstreams_id_comes_back_as_it_was(call_id: str) -> None:
    """A changed id would count as a changed history."""
    assert call_id_of(tool_use_id(call_id)) == call_id


@given(IDS, IDS)
def test_tool_use_ids_are_anthropics(one: str, other: str) -> None:
    """Whatever the upstream calls a call, the client gets an id of its own kind, and two ids stay two."""
    for call_id in (one, other):
        assert re.match(r"toolu_[A-Za-z0-9_-]+\Z", tool_use_id(call_id))
        assert ALLOWED.match(call_id_of(tool_use_id(call_id)))
    assert (tool_use_id(one) == tool_use_id(other)) == (one == other)


@pytest.mark.parametrize("ident", ["toolu_01ABC", "fc_1", "functions.look:0".replace(".", "_").replace(":", "-")])
def test_foreign_ids_that_fit_stay(ident: str) -> None:
    """A conversation that began on another service keeps its ids."""
    assert call_id_of(ident) == ident


@given(TEXTS, st.integers(min_value=1, max_value=64))
def test_a_digest_has_the_length_that_was_asked(text: str, length: int) -> None:
    """Lone surrogates can be hashed too."""
    assert re.match(rf"[0-9a-f]{{{length}}}\Z", digest(text, length))


def test_a_clients_id_of_a_file_changes_one_character() -> None:
    """Two files never become one."""
    assert upstream_file_id("file_Ab1") == "file-Ab1"
    assert upstream_file_id("file_file_1") == "file-file_1"


def test_an_upstreams_own_id_of_a_file_stays() -> None:
    """A client may know one from the upstream itself."""
    assert upstream_file_id("file-Ab1") == "file-Ab1"


@pytest.mark.parametrize(
    ("kind", "bare"),
    [("web_search_20250305", "web_search"), ("mcp_toolset", "mcp_toolset"), ("a_2025", "a_2025")],
)
def test_the_date_of_a_tool_goes(kind: str, bare: str) -> None:
    """Only eight figures at the end are a date."""
    assert undated_type(kind) == bare


@given(st.from_regex(r"\A[A-Za-z0-9]{1,50}\Z"), st.from_regex(r"\A[A-Za-z0-9]{1,50}\Z"))
def test_the_id_of_a_file_that_code_made_names_its_container(container: str, file: str) -> None:
    """Both are read again, and nothing in it looks like a seal."""
    made = CodeFile(f"cntr_{container}", f"cfile_{file}")
    assert made.client_id is not None
    assert CodeFile.of(made.client_id) == made
    assert FILE_SEAL.search(made.client_id) is None


@pytest.mark.parametrize("ident", ["file_abc", "file_cntr_a", "file_cntr_a-cfile-", "file_cntr_../a-cfile-b", "x"])
def test_other_ids_name_no_container(ident: str) -> None:
    """They are those of uploads, or of nothing."""
    assert CodeFile.of(ident) is None
