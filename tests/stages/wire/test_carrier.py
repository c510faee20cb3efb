"""Carriers round-trip, and nothing that is not one of ours is taken for one."""

from __future__ import annotations

import base64

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stages.wire import carrier, json
from stages.wire.carrier import Carrier
from tests.stages.strategies import JSON, OBJECTS, TEXTS

CARRIERS = st.builds(
    Carrier,
    id=TEXTS,
    encrypted_content=TEXTS,
    summary=st.lists(st.integers(min_value=0, max_value=2**40), max_size=4).map(tuple),
    texts=st.lists(TEXTS, max_size=4).map(tuple),
    raw=st.booleans(),
    phase=TEXTS,
    model=TEXTS,
    account=TEXTS,
)


def _signature(payload: bytes) -> str:
    return carrier.CARRIER_PREFIX + base64.urlsafe_b64encode(payload).decode()


@given(CARRIERS)
def test_a_carrier_round_trips(sealed: Carrier) -> None:
    """What comes back is what went out, for every value of every field."""
    assert carrier.decode(carrier.encode(sealed)) == sealed


@given(CARRIERS)
def test_a_signature_is_plain(sealed: Carrier) -> None:
    """A signature is printable ASCII without spaces, which every client keeps."""
    signature = carrier.encode(sealed)

    assert signature.startswith("dragoman1.")
    assert signature.isascii()
    assert signature.isprintable()
    assert " " not in signature


@given(st.one_of(TEXTS, st.binary().map(_signature), TEXTS.map(lambda text: carrier.CARRIER_PREFIX + text)))
def test_any_other_text_is_nobodys_carrier(signature: str) -> None:
    """A foreign or damaged signature is no error."""
    assert carrier.decode(signature) is None


@given(JSON)
def test_any_json_inside_is_a_whole_carrier_or_none(value: object) -> None:
    """Whatever somebody forged, the result is a carrier with its id, or None; nothing raises."""
    read = carrier.decode(_signature(json.encode(value)))

    assert read is None or isinstance(read.id, str)


@given(st.fixed_dictionaries({"id": TEXTS}, optional={"summary": JSON, "texts": JSON, "phase": JSON, "raw": JSON}))
def test_forged_fields_never_raise(fields: dict[str, object]) -> None:
    """With the right names but any values, too."""
    read = carrier.decode(_signature(json.encode(fields)))

    assert read is None or all(isinstance(length, int) for length in read.summary)


@pytest.mark.parametrize(
    "payload",
    [b"[]", b"{}", b"5", b'{"id":1}', b'{"id":"a","summary":[1e999]}', b'{"id":"a","more":1}', b'{"id":"a","phase":2}'],
)
def test_a_damaged_carrier_is_none(payload: bytes) -> None:
    """Valid base64 around the wrong thing is not ours."""
    assert carrier.decode(_signature(payload)) is None


def test_a_carrier_never_shows_itself() -> None:
    """Sealed reasoning does not get into a log by way of a repr."""
    assert "secret" not in repr(Carrier("rs_secret", "secret", texts=("secret",)))


def test_empty_fields_cost_nothing() -> None:
    """Only what is set travels."""
    payload = carrier.encode(Carrier("rs_1")).removeprefix(carrier.CARRIER_PREFIX)

    assert json.decode(base64.urlsafe_b64decode(payload)) == {"id": "rs_1"}
    assert attrs.evolve(Carrier("rs_1"), summary=(0,)) == carrier.decode(carrier.encode(Carrier("rs_1", summary=(0,))))


@given(st.lists(TEXTS, max_size=5).map(tuple))
def test_split_undoes_the_join(parts: tuple[str, ...]) -> None:
    """The summary parts come out of the thinking text as they went in, even if they hold separators."""
    joined = carrier.SEPARATOR.join(parts)

    assert carrier.split_summary(joined, tuple(map(len, parts))) == parts


@pytest.mark.parametrize(
    ("thinking", "lengths", "parts"),
    [
        ("edited", (3, 4), ("edited",)),
        ("one\n\ntwo!", (3, 3), ("one\n\ntwo!",)),
        ("one", (), ("one",)),
        ("", (3, 0), ()),
        ("", (), ()),
    ],
)
def test_an_edited_text_stays_whole(thinking: str, lengths: tuple[int, ...], parts: tuple[str, ...]) -> None:
    """What no longer has the recorded lengths is one part; nothing is no part."""
    assert carrier.split_summary(thinking, lengths) == parts


@given(OBJECTS)
def test_unknown_fields_are_refused(fields: dict[str, object]) -> None:
    """A carrier of another layout is not half understood."""
    names = {field.name for field in attrs.fields(Carrier)}
    if not set(fields) <= names:
        assert carrier.decode(_signature(json.encode({"id": "a", **fields}))) is None


@given(CARRIERS, st.data())
def test_damage_on_the_way_is_no_error(sealed: Carrier, data: st.DataObject) -> None:
    """Cut short, with a sign changed, lost or put in: what is read is a carrier of whole fields, or none."""
    signature = carrier.encode(sealed)
    at = data.draw(st.integers(0, len(signature)))
    more = data.draw(st.sampled_from(("", "A", "=", "\n", " ", "+", "é", "\ud83d", "A" * 9)))
    damaged = signature[:at] + more + signature[at + data.draw(st.integers(0, 2)) :]

    for text in (damaged, signature[:at], signature.lower(), signature[at:], signature * 2):
        read = carrier.decode(text)
        assert read is None or isinstance(read.encrypted_content, str)


@given(CARRIERS)
def test_another_alphabet_or_padding_is_no_error(sealed: Carrier) -> None:
    """A client that wrote the base64 anew, in its own way, brings back the same carrier, or none."""
    signature = carrier.encode(sealed)

    for text in (signature.replace("-", "+").replace("_", "/"), signature.rstrip("="), f"{signature}\n"):
        assert carrier.decode(text) in {None, sealed}
