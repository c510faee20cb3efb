"""Containers of the emulator, by OpenAI's own client: made, filled, listed, and gone."""

from __future__ import annotations

from typing import Any

import openai
import pytest

from pipeline.emulator.emulator import Emulator
from tests.pipeline.emulator.test_account import client

INTERPRETER: Any = {"type": "code_interpreter", "container": {"type": "auto"}}


def test_the_life_of_a_container() -> None:
    """With a file that was uploaded for it; once it is deleted, it is nowhere."""
    api = client(Emulator())
    upload = api.files.create(file=("in.csv", b"1,2"), purpose="user_data")
    made = api.containers.create(name="mine", file_ids=[upload.id])

    assert api.containers.retrieve(made.id).status == "running"
    assert [one.id for one in api.containers.list()] == [made.id]
    (file,) = api.containers.files.list(made.id)
    assert (file.source, file.path) == ("user", f"/mnt/data/{upload.id}-in.csv")
    assert api.containers.files.content.retrieve(file.id, container_id=made.id).content == b"1,2"
    api.containers.files.delete(file.id, container_id=made.id)
    with pytest.raises(openai.NotFoundError, match="Container file with id"):
        api.containers.files.retrieve(file.id, container_id=made.id)
    api.containers.delete(made.id)
    with pytest.raises(openai.NotFoundError, match="Container with id"):
        api.containers.files.list(made.id)


@pytest.mark.parametrize("wrong", [{"name": None}, {"name": "a", "file_ids": ["file-none"]}])
def test_what_cannot_be_made(wrong: Any) -> None:
    """A container without a name, or with a file that is not there."""
    with pytest.raises((openai.BadRequestError, openai.NotFoundError)):
        client(Emulator()).containers.create(**wrong)


def test_code_leaves_files_in_its_container() -> None:
    """They are cited at their links; the next answer of the conversation goes on in the same one."""
    api = client(Emulator())
    call, message = api.responses.create(model="gpt-5.4", input="[[code a.csv]]", tools=[INTERPRETER]).output

    assert call.type == "code_interpreter_call"
    assert message.type == "message"
    part: Any = message.content[0]
    (note,) = part.annotations
    assert part.text[note.start_index : note.end_index] == "[a.csv](sandbox:/mnt/data/a.csv)"
    assert note.container_id == call.container_id
    made = api.containers.files.content.retrieve(note.file_id, container_id=note.container_id)
    assert made.content == b"a.csv by the emulator\n"
    said: Any = [call.model_dump(), {"role": "user", "content": "[[code b.csv]]"}]
    assert api.responses.create(model="gpt-5.4", input=said, tools=[INTERPRETER]).output[0].container_id == (  # type: ignore[union-attr] # it is one
        call.container_id
    )


def test_a_container_expires() -> None:
    """On cue: it can be looked at, its files cannot, and whoever names it is refused."""
    api = client(Emulator())
    call: Any = api.responses.create(model="gpt-5.4", input="[[code-expired a.csv]]", tools=[INTERPRETER]).output[0]

    assert api.containers.retrieve(call.container_id).status == "expired"
    with pytest.raises(openai.NotFoundError, match="expired"):
        api.containers.files.list(call.container_id)
    named: Any = {**INTERPRETER, "container": call.container_id}
    with pytest.raises(openai.NotFoundError, match="expired"):
        api.responses.create(model="gpt-5.4", input="[[code]]", tools=[named])


def test_without_an_interpreter_nothing_runs() -> None:
    """And the answer says so."""
    told = client(Emulator()).responses.create(model="gpt-5.4", input="[[code a.csv]]")
    assert "offers none that fits" in told.output_text
