"""Forms as they come: how they are cut never matters, and what is wrong is said."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.endpoints.files.form import MAX_FIELD, FormReader
from tests.support.multipart import BOUNDARY, form

DATA = b"one\r\n--b0undar and\r\nmore \xff\x00"
WHOLE = form(("file", DATA, "a.csv", "text/csv; charset=utf-8"), ("expires_in_seconds", b"3600"))


@given(st.lists(st.integers(0, len(WHOLE)), max_size=8))
def test_cuts_never_matter(cuts: list[int]) -> None:
    """The file's bytes, its name and its type, and a field behind it."""
    reader = FormReader(BOUNDARY.encode())
    ends = [0, *sorted(cuts), len(WHOLE)]

    told = b"".join(reader.feed(WHOLE[begin:end]) for begin, end in itertools.pairwise(ends))

    assert (told, reader.ended, reader.failure) == (DATA, True, None)
    form_read = reader.form
    assert (form_read.filename, form_read.media_type, form_read.size) == ("a.csv", "text/csv", len(DATA))
    assert form_read.fields == {"expires_in_seconds": "3600"}
    form_read.close()


def test_what_is_wrong() -> None:
    """No form at all, two files, a field without end."""
    for data, words in (
        (b"no form", "not valid multipart"),
        (form(("file", b"a", "a", ""), ("file", b"b", "b", "")), "one file"),
        (form(("note", b"x" * (MAX_FIELD + 1))), "maximum size"),
    ):
        reader = FormReader(BOUNDARY.encode())
        reader.feed(data)
        reader.form.close()
        assert reader.failure is not None
        assert words in reader.failure.message


def test_a_cut_form_has_not_ended() -> None:
    """Whoever reads it can tell."""
    reader = FormReader(BOUNDARY.encode())
    reader.feed(WHOLE[:-6])

    assert not reader.ended
    reader.form.close()


@pytest.mark.parametrize(
    ("disposition", "name"),
    [
        ('filename="früh.txt"', "früh.txt"),
        ("filename*=utf-8''fr%C3%BCh.txt", "früh.txt"),
        ("filename=\"a.txt\"; filename*=UTF-8'de'b%20c.txt", "b c.txt"),
        ("filename*=utf-8''%ff.txt", "\ufffd.txt"),
        ('filename=""', ""),
    ],
)
def test_names_in_either_form(disposition: str, name: str) -> None:
    """The longer one says more."""
    reader = FormReader(b"b")
    reader.feed(f'--b\r\nContent-Disposition: form-data; name="file"; {disposition}\r\n\r\nx\r\n--b--\r\n'.encode())

    assert (reader.form.filename, reader.ended) == (name, True)
    reader.form.close()


def test_nothing_of_a_form_is_printed(capfd: pytest.CaptureFixture[str]) -> None:
    """The parser would quote what it did not expect."""
    FormReader(b"zzz").feed(b"--b\r\n")
    assert capfd.readouterr() == ("", "")
