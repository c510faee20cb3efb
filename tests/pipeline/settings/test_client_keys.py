"""Whose keys are let in, and what is kept of them."""

from __future__ import annotations

import hashlib

import pytest

from pipeline.settings.client_keys import ClientKey, client_keys, hashed, key_of, plain_keys
from tests.support.cases import cases

_KEY = "sk-something-long"
_DIGEST = hashlib.sha256(_KEY.encode()).digest()
_HASHED = f"sha256:{_DIGEST.hex()}"


@cases(
    ("given", "names"),
    [
        (_KEY, ["key-1"]),
        (f"other, {_KEY}", ["key-1", "key-2"]),
        ([_KEY], ["key-1"]),
        ([_HASHED], ["key-1"]),
        ({"alice": _KEY}, ["alice"]),
        ({"alice": _HASHED}, ["alice"]),
        ({"alice": _HASHED.upper().replace("SHA256", "sha256")}, ["alice"]),
        ({"ci.main": ["old", _HASHED], "bob": "b"}, ["ci.main", "ci.main", "bob"]),
        (f"alice={_HASHED},bob = b", ["alice", "bob"]),
        (f"alice={_KEY}", ["alice"]),
    ],
)
def test_keys_have_the_names_that_they_are_given(given: object, names: list[str]) -> None:
    """In a list, a text and a table, plain and hashed; a key without a name is called by its place."""
    keys = client_keys(given)

    assert [key.name for key in keys] == names
    assert _DIGEST in [key.digest for key in keys]


def test_a_padded_key_is_not_taken_for_a_name() -> None:
    """Keys in base64 end in `=`."""
    assert client_keys("abc==,abc=") == (
        ClientKey("key-1", hashlib.sha256(b"abc==").digest(), named=False),
        ClientKey("key-2", hashlib.sha256(b"abc=").digest(), named=False),
    )


@cases(
    "given",
    [7, None, "two words", [""], ["kéy"], [7], {"alice": 7}, {"a b": "k"}, {"": "k"}, {"x" * 65: "k"}, "sha256:abc"],
)
def test_what_is_no_key_is_a_mistake(given: object) -> None:
    """Said without the value, for it may be one."""
    with pytest.raises(ValueError, match=r"^keys of printable ASCII"):
        client_keys(given)


@pytest.mark.parametrize(
    ("presents", "found"),
    [
        ({"x-api-key": "b"}, "bob"),
        ({"authorization": "Bearer b"}, "bob"),
        ({"x-api-key": "wrong", "authorization": "Bearer b"}, "bob"),
        ({"x-api-key": ""}, None),
        ({"x-api-key": "bb"}, None),
        ({"x-api-key": "\udcff"}, None),  # header bytes can become lone surrogates
        ({"x-api-key": hashed("b")}, None),
        ({}, None),
    ],
)
def test_only_the_very_key_is_known(presents: dict[str, str], found: str | None) -> None:
    """Whoever has a hash has no key."""
    key = key_of(client_keys({"alice": "a", "bob": "b"}), presents)

    assert (key and key.name) == found


def test_a_key_of_two_names_is_the_first_ones() -> None:
    """One request is one client's."""
    key = key_of(client_keys({"alice": "k", "bob": "k"}), {"x-api-key": "k"})

    assert key is not None
    assert key.name == "alice"


def test_a_hash_is_written_as_settings_take_it() -> None:
    """`dragoman keys add` prints such a line."""
    assert hashed(_KEY) == _HASHED
    assert client_keys({"a": hashed(_KEY)}) == client_keys({"a": _KEY})


def test_nothing_of_a_key_is_kept() -> None:
    """Neither the key nor its digest can be read from what is printed."""
    (key,) = client_keys(_KEY)

    assert _KEY not in repr(key)
    assert key.digest.hex() not in repr(key)


def test_plain_keys_are_those_that_can_be_presented() -> None:
    """Of a hash, nobody can say the key."""
    assert [key.reveal() for key in plain_keys(f"alice={_HASHED},bob=b,c")] == ["b", "c"]
