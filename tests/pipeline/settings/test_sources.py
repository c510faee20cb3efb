"""Where settings come from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.settings import sources

if TYPE_CHECKING:
    from pathlib import Path

_KNOWN = ("port", "models", "upstream.url", "upstream.api_key", "timing.ping_after")


def test_unused_flags_are_absent_and_short_names_are_long_ones() -> None:
    """`--upstream` sets `upstream.url`; a flag of None says nothing."""
    layer = sources.from_flags({"port": None, "upstream": "emulator", "log_format": "json"})

    assert layer == {
        "upstream.url": sources.Given("emulator", "--upstream"),
        "log_format": sources.Given("json", "--log-format"),
    }


def test_variables_by_dotted_name() -> None:
    """Dots become underscores, and an empty variable is as good as none."""
    layer, mistakes = sources.from_environment(
        {"DRAGOMAN_TIMING_PING_AFTER": "3", "DRAGOMAN_UPSTREAM": "emulator", "DRAGOMAN_PORT": "", "PORT": "1"}, _KNOWN
    )

    assert not mistakes
    assert {name: given.origin for name, given in layer.items()} == {
        "timing.ping_after": "DRAGOMAN_TIMING_PING_AFTER",
        "upstream.url": "DRAGOMAN_UPSTREAM",
    }


def test_an_unknown_variable_is_a_mistake_with_a_proposal() -> None:
    """A typing mistake must not silently leave the default in force."""
    _, mistakes = sources.from_environment({"DRAGOMAN_TIMING_PNG_AFTER": "3"}, _KNOWN)

    assert mistakes == [
        "DRAGOMAN_TIMING_PNG_AFTER (in the environment): no such setting; did you mean DRAGOMAN_TIMING_PING_AFTER?"
    ]


def test_variables_that_only_look_like_ours() -> None:
    """Kubernetes puts such variables into every pod beside a Service called dragoman."""
    layer, mistakes = sources.from_environment(
        {
            "DRAGOMAN_PORT": "tcp://10.0.0.1:8765",
            "DRAGOMAN_SERVICE_HOST": "10.0.0.1",
            "DRAGOMAN_SERVICE_PORT_HTTP": "8765",
            "DRAGOMAN_PORT_8765_TCP_ADDR": "10.0.0.1",
            "DRAGOMAN_CONFIG": "x.toml",
            "DRAGOMAN_CLAUDE": "claude",
        },
        _KNOWN,
    )

    assert not layer
    assert not mistakes


def test_openai_variables() -> None:
    """What OpenAI's own clients read serves us too; empty ones do not count."""
    layer = sources.from_openai_environment({"OPENAI_API_KEY": "sk-x", "OPENAI_BASE_URL": ""})

    assert layer == {"upstream.api_key": sources.Given("sk-x", "OPENAI_API_KEY")}


def test_a_given_value_is_not_shown() -> None:
    """It may be a key."""
    assert "sk-x" not in repr(sources.Given("sk-x", "OPENAI_API_KEY"))


def test_a_file_with_tables(tmp_path: Path) -> None:
    """Groups are TOML tables; a setting that is itself a table stays whole; `upstream` may be just the URL."""
    file = tmp_path / "dragoman.toml"
    file.write_text('port = 1\nupstream = "emulator"\n[models]\nopus = "gpt"\n[timing]\nping_after = 2\n')

    layer, mistakes = sources.from_file(file, _KNOWN)

    assert not mistakes
    assert {name: given.value for name, given in layer.items()} == {
        "port": 1,
        "upstream.url": "emulator",
        "models": {"opus": "gpt"},
        "timing.ping_after": 2,
    }
    assert layer["port"].origin == "dragoman.toml"


def test_unknown_keys_in_a_file(tmp_path: Path) -> None:
    """Each unknown key is a mistake, in tables too."""
    file = tmp_path / "dragoman.toml"
    file.write_text("prot = 1\n[timing]\nping = 2\n[nothing_alike]\nx = 1\n")

    layer, mistakes = sources.from_file(file, _KNOWN)

    assert not layer
    assert mistakes == [
        "prot (from dragoman.toml): no such setting; did you mean port?",
        "timing.ping (from dragoman.toml): no such setting; did you mean timing.ping_after?",
        "nothing_alike (from dragoman.toml): no such setting",
    ]


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    """A missing file and one that is no TOML are mistakes as others, not exceptions."""
    broken = tmp_path / "broken.toml"
    broken.write_text("port = = 1")
    binary = tmp_path / "binary.toml"
    binary.write_bytes(b"\xff\xfe")

    assert "cannot be read" in sources.from_file(tmp_path / "missing.toml", _KNOWN)[1][0]
    assert "is not TOML" in sources.from_file(broken, _KNOWN)[1][0]
    assert "is not TOML" in sources.from_file(binary, _KNOWN)[1][0]


def test_which_file_is_read(tmp_path: Path) -> None:
    """The flag, the variable, the working directory, the user's configuration; the first that there is."""
    here, home = tmp_path / "here", tmp_path / "home"
    local, own = here / "dragoman.toml", home / ".config" / "dragoman" / "config.toml"
    environment = {"HOME": str(home)}
    here.mkdir()
    own.parent.mkdir(parents=True)

    assert sources.find_file(None, environment, here) is None
    own.touch()
    assert sources.find_file(None, environment, here) == own
    assert sources.find_file(None, {"XDG_CONFIG_HOME": str(home / ".config"), "HOME": "/nowhere"}, here) == own
    local.touch()
    assert sources.find_file(None, environment, here) == local
    assert str(sources.find_file(None, {"DRAGOMAN_CONFIG": "named.toml"}, here)) == "named.toml"
    assert str(sources.find_file("flag.toml", {"DRAGOMAN_CONFIG": "named.toml"}, here)) == "flag.toml"
