"""Names of kept files: what they say survives the upstream, which knows nothing but names."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stages.tables.media_types import ENDINGS
from stages.tables.stored_files import (
    StoredName,
    expiry_complaint,
    is_out_of_space,
    name_complaint,
    plain_name,
    read_name,
    type_of,
)
from tests.support.cases import cases

NAMES = st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters='<>:"|?*/\\'), min_size=1)
OWN_TYPES = sorted(kind for kind in ENDINGS if type_of(f"x.{ENDINGS[kind]}") == kind)


@given(NAMES, st.sampled_from(OWN_TYPES), st.sampled_from(["", "0123456789abcdef"]))
def test_a_name_comes_back(name: str, kind: str, mark: str) -> None:
    """Name, type and owner, whatever the name looks like."""
    stored = StoredName(name, kind, mark)

    assert read_name(stored.written(), owned=bool(mark)) == stored


@pytest.mark.parametrize(
    ("name", "kind", "stored"),
    [
        ("report.pdf", "application/pdf", "report.pdf"),
        ("notes", "text/plain", "notes~.txt"),
        ("notes.md", "text/plain", "notes.md~.txt"),
        ("blob", "application/octet-stream", "blob"),
    ],
)
def test_most_names_stay(name: str, kind: str, stored: str) -> None:
    """An ending is added only where the name does not tell the type."""
    assert StoredName(name, kind).written() == stored


@pytest.mark.parametrize(
    ("given_name", "kind", "kept"),
    [
        ("/etc/../a.txt", "text/plain", "a.txt"),
        ("C:\\x\\b.pdf", "application/pdf", "b.pdf"),
        ("", "application/pdf", "unnamed.pdf"),
        ("dir/", "image/png", "unnamed.png"),
        ("", "application/octet-stream", "unnamed"),
    ],
)
def test_the_last_component_is_kept(given_name: str, kind: str, kept: str) -> None:
    """An absent name says what the file is."""
    assert plain_name(given_name, kind) == kept


@pytest.mark.parametrize("name", ["a" * 256, "a<b", "a\nb", "what?"])
def test_names_that_are_refused(name: str) -> None:
    """Too long, or with characters that no file system likes."""
    assert name_complaint(name)


@pytest.mark.parametrize(
    ("given_seconds", "words"),
    [
        ("3599", "greater than or equal to 3600"),
        ("7776001", "less than or equal to 7776000"),
        ("2592001", "30 days"),
        ("soon", "valid integer"),
        ("-1", "valid integer"),
        ("9" * 5000, "valid integer"),
    ],
)
def test_times_that_are_refused(given_seconds: str, words: str) -> None:
    """What Anthropic refuses, and what the upstream cannot do, which is not shortened in silence."""
    assert words in (expiry_complaint(given_seconds) or "")


def test_times_that_are_taken() -> None:
    """An hour to thirty days."""
    assert expiry_complaint("3600") is expiry_complaint("2592000") is None


@cases(
    ("sentence", "full"),
    [
        ("You have exceeded your file storage quota. Please delete old files.", True),
        ("This organization would exceed its 100GB total file storage limit.", True),
        ("Storage limit reached for this project", True),
        ("Exceeded maximum number of files for this resource.", True),
        ("The number of files in this account has reached its limit of 100.", True),
        ("Insufficient storage", True),
        ("Invalid file format for purpose user_data", False),
        ("File is too large: the limit is 512 MB", False),
        ("Rate limit reached for uploads", False),
        ("'file' is a required property", False),
    ],
)
def test_sentences_of_an_account_without_space(sentence: str, full: bool) -> None:
    """Services say it in words of their own; what is wrong with the file itself is another thing."""
    assert bool(is_out_of_space(sentence)) is full
