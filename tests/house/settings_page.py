"""The tables of the settings, written out of the catalogue: all in `docs/configuration.md`, the usual in README."""

from __future__ import annotations

from collections.abc import Iterable

from pipeline.settings import SETTINGS, variable
from pipeline.settings.catalogue import GROUPS
from pipeline.settings.sources import OPENAI
from tests.conftest import ROOT

PAGE = ROOT / "docs" / "configuration.md"
"""The page with all settings."""

README = ROOT / "README.md"
"""The page with the usual ones, between two marks."""

BEGIN, END = "<!-- written by `make settings` -->", "<!-- end of what `make settings` writes -->"
"""Between them stands what is generated."""

USUAL = (
    "host", "port", "upstream.url", "upstream.api_key", "upstream.api_key_file", "upstream.key_command",
    "upstream.headers", "upstream.profile", "upstream.summaries", "models", "client_keys", "hosts", "certfile",
    "keyfile", "limits.requests", "workers", "log_format", "telemetry.endpoint", "mode",
)  # fmt: skip
"""What most people set."""

_HEAD = """# Configuration

Written by `make settings` out of `pipeline/settings/catalogue.py`; a house test fails when it is stale. `dragoman
settings` shows the same with your own values and where each came from, and `dragoman settings --toml` writes a
commented file to begin with.

Flags win over the environment, the environment over the file (`--config`, else `DRAGOMAN_CONFIG`, else `dragoman.toml`
here, else `~/.config/dragoman/config.toml`), the file over the defaults. A setting `timing.silence` is the key
`silence` in the table `[timing]` of the file, and the variable `DRAGOMAN_TIMING_SILENCE`. All mistakes are reported at
once.
"""


def page() -> str:
    """Write the whole page."""
    parts = [_HEAD, "## General", "", *table(name for name in SETTINGS if "." not in name)]
    for group, members in GROUPS.items():
        said = (members.__doc__ or "").partition("\n")[0]
        parts += [
            "",
            f"## `[{group}]`",
            "",
            said,
            "",
            *table(name for name in SETTINGS if name.startswith(f"{group}.")),
        ]
    return "\n".join(parts) + "\n"


def readme(text: str) -> str:
    """Write README's table anew, where its marks are."""
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return "\n".join([before + BEGIN, "", *table(USUAL), "", END]) + after


def table(names: Iterable[str]) -> list[str]:
    """The lines of a table of settings."""
    theirs = {name: key for key, name in OPENAI.items()}
    rows = ["| setting | variable | default | meaning |", "|---|---|---|---|"]
    for name in names:
        variables = ", ".join(f"`{each}`" for each in (variable(name), theirs.get(name)) if each)
        rows.append(
            f"| `{name}` | {variables} | {_default(name)} | {SETTINGS[name].about.replace('|', chr(92) + '|')} |"
        )
    return rows


def _default(name: str) -> str:
    default = SETTINGS[name].default
    if default is None or default in ((), {}, ""):
        return ""
    return f"`{str(default).lower() if isinstance(default, bool) else default}`"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    README.write_text(readme(README.read_text("utf-8")), encoding="utf-8")
    print(f"wrote {PAGE.relative_to(ROOT)} and a table of {README.relative_to(ROOT)}")
