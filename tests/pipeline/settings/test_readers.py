"""How the value of one setting is read."""

from __future__ import annotations

import pytest

from pipeline.settings import readers as read
from pipeline.settings.keys import Secret
from tests.support.cases import cases


@cases(
    ("reader", "given", "value"),
    [
        (read.any_text, "x", "x"),
        (read.choice("console", "json"), "JSON", "json"),
        (read.whole(0, 10), "7", 7),
        (read.whole(0, 10), 10, 10),
        (read.whole(0), "1_000", 1000),
        (read.seconds, "2.5", 2.5),
        (read.seconds, 3, 3.0),
        (read.boolean, "Yes", True),
        (read.boolean, False, False),
        (read.secret, " sk-x\n", Secret("sk-x")),
        (read.upstream_url, "Emulator", "emulator"),
        (read.upstream_url, "https://host/v1/", "https://host/v1"),
        (read.upstream_url, "http://[::1]:8080", "http://[::1]:8080"),
        (read.texts_by_name, "opus=gpt-a, haiku = gpt-b", {"opus": "gpt-a", "haiku": "gpt-b"}),
        (read.texts_by_name, {"opus": "gpt-a"}, {"opus": "gpt-a"}),
        (read.headers_by_name, "X-Org = a b, api-key=k", {"x-org": Secret("a b"), "api-key": Secret("k")}),
        (read.headers_by_name, {"X-Title": "mine"}, {"x-title": Secret("mine")}),
        (read.scalars_by_name, "a=true,b=-3,c=word", {"a": True, "b": -3, "c": "word"}),
        (read.scalars_by_name, {"a": False, "c": "7"}, {"a": False, "c": "7"}),
    ],
)
def test_good_values(reader: read.Reader, given: object, value: object) -> None:
    """Text from a variable and the types of TOML lead to the same value."""
    assert reader(given) == value


@cases(
    ("reader", "given", "right"),
    [
        (read.any_text, 1, "a text"),
        (read.choice("console", "json"), "xml", '"console" or "json"'),
        (read.choice("console", "json"), 1, '"console" or "json"'),
        (read.whole(0, 10), "11", "a whole number from 0 to 10"),
        (read.whole(0, 10), -1, "a whole number from 0 to 10"),
        (read.whole(1), "x", "a whole number, 1 or more"),
        (read.whole(1), 1.5, "a whole number, 1 or more"),
        (read.whole(0), True, "a whole number, 0 or more"),
        (read.seconds, "0", "a number of seconds above 0"),
        (read.seconds, "nan", "a number of seconds above 0"),
        (read.seconds, "inf", "a number of seconds above 0"),
        (read.seconds, "soon", "a number of seconds above 0"),
        (read.seconds, True, "a number of seconds above 0"),
        (read.boolean, "maybe", "true or false"),
        (read.boolean, 1, "true or false"),
        (read.secret, "two words", "without spaces"),
        (read.secret, "", "without spaces"),
        (read.upstream_url, "localhost:8080", "https://host/v1"),
        (read.upstream_url, "https://user:word@host/v1", "without a name, password"),
        (read.upstream_url, "https://host/v1?key=x", "query"),
        (read.upstream_url, "https://host:port/v1", "https://host/v1"),
        (read.upstream_url, "https://[::1/v1", "https://host/v1"),
        (read.upstream_url, 8080, "https://host/v1"),
        (read.texts_by_name, "opus", "name=text"),
        (read.texts_by_name, {"opus": 1}, "a table of texts"),
        (read.texts_by_name, "opus=", "name=text"),
        (read.texts_by_name, 1, "name=text"),
        (read.headers_by_name, {"content-length": "5"}, "a table of headers"),
        (read.headers_by_name, {"host": "x"}, "a table of headers"),
        (read.headers_by_name, {"x y": "x"}, "a table of headers"),
        (read.headers_by_name, {"x": "a\nb"}, "a table of headers"),
        (read.headers_by_name, {"x": 1}, "a table of headers"),
        (read.scalars_by_name, {"a": 1.5}, "a table of true/false"),
        (read.scalars_by_name, "=1", "name=value"),
    ],
)
def test_wrong_values_say_what_would_be_right(reader: read.Reader, given: object, right: str) -> None:
    """The message tells how to do it, and never repeats what was given: that may be a key in the wrong place."""
    with pytest.raises(ValueError, match=r".") as caught:
        reader(given)

    assert right in str(caught.value)


def test_tables_cannot_be_changed() -> None:
    """Settings are frozen, their tables too."""
    table = read.texts_by_name({"opus": "gpt-a"})

    with pytest.raises(TypeError):
        table["opus"] = "gpt-b"  # type: ignore[index]
