"""What the image installs by version is what the project asks for."""

from __future__ import annotations

import re
import tomllib

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.conftest import ROOT

EXTRAS = ("offline", "otel")
"""What the image has besides: counts without a download, and telemetry by OTLP."""

LOCKED = re.compile(r"^([A-Za-z0-9._-]+)==(\S+)(.*)$", re.MULTILINE)


def test_the_lock_holds_what_is_asked_for() -> None:
    """Every requirement of the program and of the image's extras, in a version that it takes, with hashes."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    lock = (ROOT / "deploy" / "requirements.lock").read_text()
    found = {canonicalize_name(name): version for name, version, _ in LOCKED.findall(lock)}
    extras = [text for extra in EXTRAS for text in project["optional-dependencies"][extra]]
    asked = [Requirement(text) for text in [*project["dependencies"], *extras]]

    assert [
        str(each) for each in asked if not each.specifier.contains(found.get(canonicalize_name(each.name), "0"))
    ] == []
    assert lock.count("--hash=sha256:") >= len(found) > len(asked)
