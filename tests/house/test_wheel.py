"""What leaves the house: the wheel holds the two packages and nothing else."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from email import message_from_bytes
from email.message import Message
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.house.sources import modules


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    """Build the wheel with the backend itself: no isolation, so no network."""
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    return zipfile.ZipFile(next(folder.glob("*.whl")))


def _metadata(wheel: zipfile.ZipFile, name: str) -> bytes:
    return wheel.read(next(item for item in wheel.namelist() if item.endswith(f".dist-info/{name}")))


@pytest.fixture(scope="module")
def metadata(wheel: zipfile.ZipFile) -> Message:
    """Parse what the wheel says about itself."""
    return message_from_bytes(_metadata(wheel, "METADATA"))


def test_only_our_packages(wheel: zipfile.ZipFile) -> None:
    """Beside its metadata the wheel holds `pipeline` and `stages`: no tests, no docs, no `tools`."""
    top = {name.partition("/")[0] for name in wheel.namelist()}

    assert {name for name in top if not name.endswith(".dist-info")} == {"pipeline", "stages"}


def test_every_module_is_in_it(wheel: zipfile.ZipFile) -> None:
    """Each module of the checkout is in the wheel, under the same name."""
    packed = {Path(name) for name in wheel.namelist() if name.endswith(".py")}

    assert packed == set(modules("pipeline", "stages"))


def test_no_caches_and_no_secrets(wheel: zipfile.ZipFile) -> None:
    """Nothing that a run leaves behind goes out with the wheel."""
    unwanted = (".pyc", ".env", ".key", ".pem", ".log", ".orig")

    assert [name for name in wheel.namelist() if name.endswith(unwanted)] == []


def test_the_command(wheel: zipfile.ZipFile) -> None:
    """Installing it gives one command, `dragoman`."""
    entry_points = _metadata(wheel, "entry_points.txt").decode()

    assert "".join(entry_points.split()) == "[console_scripts]dragoman=pipeline.cli:main"


def test_the_licence_goes_with_it(wheel: zipfile.ZipFile, metadata: Message) -> None:
    """The licence is named in the metadata and packed as text."""
    assert metadata["License-Expression"] == "Apache-2.0"
    assert _metadata(wheel, "licenses/LICENSE") == (ROOT / "LICENSE").read_bytes()


def test_no_upper_pins(metadata: Message) -> None:
    """Requirements name what is too old, never what is too new."""
    requirements = [requirement.partition(";")[0] for requirement in metadata.get_all("Requires-Dist") or []]

    assert requirements
    assert [requirement for requirement in requirements if "<" in requirement or "==" in requirement] == []
