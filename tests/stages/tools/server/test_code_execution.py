"""Code that runs upstream: declared with its container, shown with what it printed, and brought back."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stages.canonical.place import TOOLS
from stages.canonical.report import UNFAITHFUL, Report
from stages.canonical.request import Caller, Message, Request, ServerTool, Unknown
from stages.mapper import Target, map_request
from stages.tools.server.code_execution import CODE_EXECUTION, file_blocks
from stages.tools.server.row import CallBlock, DeclarationContext
from stages.wire.messages_request import structure
from tests.stages.tools.server.trip import Trip

RUN: dict[str, Any] = {
    "type": "code_interpreter_call",
    "id": "ci_1",
    "container_id": "cntr_7",
    "code": "print(1)",
    "outputs": [{"type": "logs", "logs": "1\n"}],
    "status": "completed",
}
TOOL = ServerTool("code_execution_20250825", "code_execution", {"type": "code_execution_20250825"})

TRIP = Trip(CODE_EXECUTION, "code_execution")
told, both, back = TRIP.told, TRIP.both, TRIP.back


def declared(container: Any, *said: dict[str, Any]) -> tuple[Any, list[str]]:
    """The container that is declared after these blocks, and what is lost by it."""
    blocks = tuple(Unknown(block.get("type", "server_tool_use"), block) for block in said)
    request = Request("m", (Message("assistant", blocks),), extra={"container": container})
    report = Report()
    made = CODE_EXECUTION.declare(TOOL, DeclarationContext(request), TOOLS.at(0), report)
    assert made is not None
    return made["container"], [note.path for note in report.notes if note.disposition in UNFAITHFUL]


def test_every_date_is_served() -> None:
    """And no other tool."""
    assert CODE_EXECUTION.handles("code_execution_20260521")
    assert not CODE_EXECUTION.handles("bash_20250124")


@pytest.mark.parametrize(
    ("asked", "container", "notes"),
    [
        (None, {"type": "auto"}, []),
        ({"id": None}, {"type": "auto"}, []),
        ("cntr_9", "cntr_9", []),
        ({"id": "cntr_9", "skills": []}, "cntr_9", []),
        ("container_01AB", {"type": "auto"}, ["container"]),
    ],
)
def test_a_container_of_the_upstreams_is_used_again(asked: Any, container: Any, notes: list[str]) -> None:
    """One of Anthropic's own means nothing there."""
    assert declared(asked) == (container, notes)


def test_a_container_that_the_conversation_knows_is_not_named() -> None:
    """The upstream takes the last call's by itself; naming it from the second turn on would spoil the cache."""
    call, _ = both(RUN)

    assert declared("cntr_7", {"id": call.id}) == ({"type": "auto"}, [])
    assert declared("cntr_8", {"id": call.id}, {"type": "x"}) == ("cntr_8", [])


def test_files_are_put_into_the_container() -> None:
    """Each once, and as many as fit; a container that there is already has its own."""
    upload = {"type": "container_upload", "file_id": "file-1"}
    many = [{"type": "container_upload", "file_id": f"file-{n}"} for n in range(51)]

    assert declared(None, upload, upload, {"type": "container_upload"}) == (
        {"type": "auto", "file_ids": ["file-1"]},
        [],
    )
    assert declared("cntr_9", upload) == ("cntr_9", [])
    container, notes = declared(None, *many)
    assert (len(container["file_ids"]), notes) == (50, ["tools.0"])


def test_a_file_in_the_container_is_no_loss() -> None:
    """The block is shown as text besides, so that the model knows the file's name; where no code runs, that is all."""
    upload = {"role": "user", "content": [{"type": "container_upload", "file_id": "file_1"}]}
    messages = [{"role": "user", "content": "hi"}, upload]
    tools = [{"type": "code_execution_20250825", "name": "code_execution"}]

    def fate(**fields: Any) -> list[str]:
        request = structure({"model": "claude-sonnet-5-5", "messages": messages, **fields})
        notes = map_request(request, Caller(), Target(), message_id="msg_1").report.notes
        return [note.disposition.value for note in notes if note.path == "messages.1.content.0"]

    assert fate(tools=tools) == ["translated"]
    assert fate() == ["approximated"]
    assert fate(tools=tools, container="cntr_9") == ["approximated"]


def test_a_run_is_a_call_and_its_result() -> None:
    """In the oldest of Anthropic's forms, which says that Python runs."""
    call, result = both(RUN)

    assert call == CallBlock("srvtoolu_ci_1_cntr_7", "code_execution", {"code": "print(1)"})
    assert result == {
        "type": "code_execution_tool_result",
        "tool_use_id": call.id,
        "content": {
            "type": "code_execution_result",
            "stdout": "1\n",
            "stderr": "",
            "return_code": 0,
            "content": [],
        },
    }
    assert (told(RUN).left_out, told(RUN).container) == ((), "cntr_7")


@pytest.mark.parametrize("outputs", [None, [], "x", [7]])
def test_a_run_may_have_printed_nothing(outputs: Any) -> None:
    """Servers leave the outputs out unless they are asked for."""
    _, result = both({**RUN, "outputs": outputs})

    assert result["content"]["stdout"] == ""


def test_pictures_are_left_out() -> None:
    """Anthropic's result has files alone, and the upstream's picture is none; each is counted."""
    picture = {"type": "image", "url": "data:image/png;base64,AA"}
    item = {**RUN, "outputs": [picture, *RUN["outputs"], picture]}

    assert told(item).left_out == ("code_interpreter_call.image",) * 2
    assert both(item)[1]["content"]["stdout"] == "1\n"


@pytest.mark.parametrize("status", ["failed", "incomplete"])
def test_a_run_that_failed(status: str) -> None:
    """With what it printed it has a return code; without anything it is an error."""
    loud, silent = {**RUN, "status": status}, {**RUN, "status": status, "outputs": None}

    assert (both(loud)[1]["content"]["return_code"], both(loud)[1]["content"]["stdout"]) == (1, "1\n")
    assert both(silent)[1]["content"] == {
        "type": "code_execution_tool_result_error",
        "error_code": "unavailable",
    }
    assert back(loud) == [{**loud, "status": "failed"}]
    assert back(silent) == [{**silent, "status": "failed"}]


@pytest.mark.parametrize("container", [None, 7, "", "container_1", "cntr_1-2"])
def test_a_run_without_a_container_is_shown_all_the_same(container: Any) -> None:
    """But it cannot come back as an item, which would need one."""
    item = {**RUN, "container_id": container}

    assert both(item)[0].id == "srvtoolu_ci_1"
    assert told(item).container is None
    assert back(item) is None


@given(st.text(max_size=20), st.text(max_size=20))
def test_a_run_comes_back_as_it_was(code: str, logs: str) -> None:
    """Id, container, code and what was printed survive the way through the client."""
    item = {**RUN, "code": code, "outputs": [{"type": "logs", "logs": logs}] if logs else None}

    assert back(item) == [item]


@pytest.mark.parametrize("call", [{}, {"id": "srvtoolu_01AB", "input": {}}, {"id": "srvtoolu_ci_1_cntr_7", "input": 1}])
def test_another_services_run_is_no_item(call: dict[str, Any]) -> None:
    """It names no container of the upstream's."""
    assert CODE_EXECUTION.to_items(call, None, {}) is None


def test_a_run_without_a_result_comes_back() -> None:
    """A client may have left it out."""
    items = CODE_EXECUTION.to_items({"id": "srvtoolu_ci_1_cntr_7", "input": {}}, None, {})

    assert items == [{**RUN, "code": "", "outputs": None}]


def cited(file: str = "cfile_1", **fields: Any) -> dict[str, Any]:
    """An annotation that links to a file."""
    named = {"container_id": "cntr_7", "file_id": file, "filename": "a b\nc.csv"}
    return {"type": "container_file_citation", **named, **fields}


class Seal:
    """Puts a mark behind an id."""

    def sealed(self, ident: str) -> str:
        """Seal it."""
        return f"{ident}!"


def test_files_that_code_made_are_named_once() -> None:
    """Each under the id of its container and its own, in a result of its own; what is none is not."""
    link = {"type": "url_citation", "url": "https://example.com"}
    call, result = file_blocks([cited(), link, cited("cfile_2"), cited()], None).parts

    assert isinstance(call, CallBlock)
    assert call.input == {"code": "# a b c.csv\n# a b c.csv\n"}
    files = result.body["content"]["content"]  # type: ignore[union-attr] # it is a result
    assert [file["file_id"] for file in files] == ["file_cntr_7-cfile-1", "file_cntr_7-cfile-2"]
    assert CODE_EXECUTION.to_items({"id": call.id, "input": call.input}, None, {}) == []


def test_files_are_sealed() -> None:
    """Where there are owners."""
    _, result = file_blocks([cited()], Seal()).parts
    assert result.body["content"]["content"][0]["file_id"] == "file_cntr_7-cfile-1!"  # type: ignore[union-attr] # it is


@pytest.mark.parametrize(
    "odd", [{"file_id": "x"}, {"container_id": None}, {"file_id": "cfile_../x"}, {"type": "other"}]
)
def test_what_is_no_file_of_a_container_is_not_named(odd: dict[str, Any]) -> None:
    """Nothing that could lead elsewhere becomes an id."""
    assert file_blocks([{**cited(), **odd}], None).parts == ()


def test_a_file_that_code_made_is_not_put_into_a_container() -> None:
    """It lies there already, and the upstream takes files that were uploaded alone."""
    made = {"type": "container_upload", "file_id": "file_cntr_7-cfile-1_0123456789abcdef"}
    assert declared(None, made) == ({"type": "auto"}, [])
