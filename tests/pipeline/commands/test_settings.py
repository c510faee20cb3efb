"""`dragoman settings`."""

from __future__ import annotations

from pathlib import Path

import attrs
import pytest

from pipeline import settings
from pipeline.cli import main

_GIVEN = {
    "DRAGOMAN_PORT": "9000",
    "DRAGOMAN_MODELS": "opus=gpt-5,prod~gpt-6.2-sol",
    "DRAGOMAN_UPSTREAM_QUERY": "api-version=preview",
    "DRAGOMAN_TIMING_SILENCE": "7.5",
    "DRAGOMAN_HOSTS": "a.test,b.test",
    "DRAGOMAN_UPSTREAM_HTTP2": "false",
    "OPENAI_API_KEY": "sk-do-not-show",
    "DRAGOMAN_CLIENT_KEYS": "also-not-this",
    "DRAGOMAN_UPSTREAM_HEADERS": "x-a=nor-that",
}


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Set a bit of everything."""
    for name, value in _GIVEN.items():
        monkeypatch.setenv(name, value)


@pytest.mark.usefixtures("environment")
def test_every_setting_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    """With meaning, value and origin; of keys only that they are set."""
    assert main(["settings", "--host", "::1"]) == 0

    said = capsys.readouterr().out
    assert {name for name in settings.SETTINGS if f"{name} = " not in said} == set()
    assert 'host = "::1"  --host\n    address to listen on (DRAGOMAN_HOST)\n' in said
    assert "port = 9000  DRAGOMAN_PORT\n" in said
    assert "workers = 1  default\n" in said
    assert "upstream.api_key = (set; not shown)  OPENAI_API_KEY\n" in said
    assert not [word for word in ("sk-do-not-show", "also-not-this", "nor-that") if word in said]


@pytest.mark.usefixtures("environment")
def test_the_file_sets_the_same(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """Read back, it gives the same settings, but for the keys, which are in no file; each setting has its line."""
    main(["settings", "--toml"])
    written = capsys.readouterr().out
    file = tmp_path / "written.toml"
    file.write_text(written)
    keys = {name: _GIVEN[name] for name in ("OPENAI_API_KEY", "DRAGOMAN_CLIENT_KEYS", "DRAGOMAN_UPSTREAM_HEADERS")}

    again, before = settings.load({}, keys, file), settings.load({}, _GIVEN, None)

    assert again == attrs.evolve(before, upstream_chosen_by=again.upstream_chosen_by)
    assert not [key for key in keys.values() if key.rpartition("=")[2] in written]
    assert {name for name in settings.SETTINGS if f"{name.rpartition('.')[2]} " not in written} == set()


def test_all_defaults_are_a_file_that_can_be_read(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """Also when every line of it is made to count."""
    main(["settings", "--toml"])
    lines = capsys.readouterr().out.splitlines()
    file = tmp_path / "all.toml"
    file.write_text("\n".join(line.removeprefix("# ") if " = " in line else line for line in lines))

    assert settings.load({}, {"OPENAI_API_KEY": "k"}, file).limits == settings.Limits()
