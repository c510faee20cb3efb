"""`dragoman keys`."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING

import pytest

from pipeline.cli import main
from pipeline.settings.client_keys import client_keys, key_of

if TYPE_CHECKING:
    from pathlib import Path


def _printed(capsys: pytest.CaptureFixture[str]) -> tuple[str, list[str]]:
    lines = capsys.readouterr().out.splitlines()
    return lines[1].strip(), lines[3:]


@pytest.mark.parametrize("name", ["alice", "ci.main", "7"])
def test_the_key_opens_by_the_lines_that_are_kept(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Both ways to keep it know the key by its name; neither holds it."""
    assert main(["keys", "add", name]) == 0

    key, lines = _printed(capsys)
    in_file = tomllib.loads("\n".join(lines[:2]))["client_keys"]
    in_variable = lines[2].strip().removeprefix("DRAGOMAN_CLIENT_KEYS=")
    for kept in (in_file, in_variable):
        known = key_of(client_keys(kept), {"x-api-key": key})
        assert known is not None
        assert known.name == name
        assert key not in str(kept)


def test_each_key_is_another(capsys: pytest.CaptureFixture[str]) -> None:
    """And long enough that its hash may lie about."""
    main(["keys", "add", "alice"])
    first, _ = _printed(capsys)
    main(["keys", "add", "alice"])
    second, _ = _printed(capsys)

    assert first != second
    assert len(first) > 40


def test_a_second_key_stands_beside_the_first(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that a key is replaced while somebody works with it; what is printed is TOML again."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "dragoman.toml").write_text('[client_keys]\nalice = "old"\n')
    main(["keys", "add", "alice"])

    key, lines = _printed(capsys)
    in_file = tomllib.loads("\n".join(lines[:2]).replace("<what stands there>", "old"))["client_keys"]
    names = [known and known.name for known in (key_of(client_keys(in_file), {"x-api-key": k}) for k in ("old", key))]
    assert names == ["alice", "alice"]


@pytest.mark.parametrize("name", ["", "a b", "a=b", "-", "é", "x" * 65])
def test_names_that_no_label_takes(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Said in a sentence; no key is made."""
    assert main(["keys", "add", "--", name]) == 1

    captured = capsys.readouterr()
    assert captured.out == ""
    assert "a client's name has" in captured.err
