"""What can be set."""

from __future__ import annotations

import attrs
import pytest

from pipeline.settings.catalogue import SETTINGS, Settings


def test_every_default_is_readable_by_its_own_reader() -> None:
    """What we choose ourselves must be what we accept from others."""
    untold = {
        "upstream.api_key",
        "storage.owner_secret",
        "client_keys",
        "page_key",
        "timing.shutdown_grace",
    }  # "none", or chosen by who is there

    for name, setting in SETTINGS.items():
        if name not in untold:
            assert setting.reader(setting.default) == setting.default, name


def test_every_setting_says_what_it_means() -> None:
    """The catalogue is what documentation is made from."""
    assert all(setting.about for setting in SETTINGS.values())
    assert {"port", "upstream.retries", "limits.body_bytes", "timing.shutdown_grace"} <= SETTINGS.keys()


def test_every_field_is_in_the_catalogue() -> None:
    """A field without a reader could never be set; only the note on who chose the upstream is meant to be so."""
    fields = {field.name for field in attrs.fields(Settings)}

    assert fields - {name.partition(".")[0] for name in SETTINGS} == {"upstream_chosen_by"}


def test_settings_cannot_be_changed() -> None:
    """They are shared by everything in the process."""
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        Settings().port = 1  # type: ignore[misc]
