"""Which pages may be read: by their host, and by whether somebody spoke of them."""

from __future__ import annotations

import pytest

from stages.tools.hosted.pages import Domains, is_known


@pytest.mark.parametrize(
    ("allowed", "blocked", "host", "path", "permitted"),
    [
        ((), (), "a.example", "/", True),
        (("a.example",), (), "a.example", "/x", True),
        (("a.example",), (), "www.a.example", "/x", True),
        (("a.example",), (), "nota.example", "/x", False),
        (("A.Example.",), (), "a.example", "/x", True),
        (("https://a.example",), (), "a.example", "/x", True),
        (("a.example/docs",), (), "a.example", "/docs/1", True),
        (("a.example/docs",), (), "a.example", "/blog", False),
        (("a.example/*/news",), (), "a.example", "/en/news", True),
        (("a.example/*/news",), (), "a.example", "/en/old", False),
        ((), ("a.example",), "b.a.example", "/", False),
        (("a.example",), ("a.example/private",), "a.example", "/private/x", False),
        (("",), (), "a.example", "/", False),
    ],
)
def test_domains(allowed: tuple[str, ...], blocked: tuple[str, ...], host: str, path: str, permitted: bool) -> None:
    """A host stands for all below it, and what is blocked is blocked."""
    assert Domains.of({"allowed_domains": allowed, "blocked_domains": list(blocked)}).blocked == blocked
    assert Domains(allowed, blocked).permit(host, path) is permitted


@pytest.mark.parametrize(
    ("url", "said", "known"),
    [
        ("https://a.example/x", "Read https://a.example/x, please.", True),
        ("https://a.example/x/", "Read a.example/x", True),
        ("http://A.example/x#part", "see (https://a.example/x)", True),
        ("https://a.example", "a.example/x", True),
        ("https://a.example/x?q=1", "https://a.example/x", False),
        ("https://a.example/secret", "https://a.example/", False),
        ("https://example/x", "https://a.example/x", False),
        ("https://a.example/x", "https://a.example/xy", False),
        ("https://a.example/x", "https://a.example/xy and https://a.example/x", True),
        ("https://a.example", "me@a.example", False),
        ("https://", "anything", False),
        ("https://a.example/x", "", False),
    ],
)
def test_what_was_spoken_of(url: str, said: str, known: bool) -> None:
    """The address as a whole, and not one that it is a part of, or that goes on: what goes on may tell a secret."""
    assert is_known(url, iter((said,))) is known
