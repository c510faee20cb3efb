"""Whose files and batches are whose, whatever becomes of the upstream's key."""

from __future__ import annotations

import pytest

from pipeline.endpoints.owners import Owner
from pipeline.settings import Secret, Settings, StorageSettings, UpstreamSettings
from pipeline.settings.client_keys import key_of
from tests.pipeline.endpoints.files.test_files import ALICE, BOB, SHARED


def owner(client: str, upstream: str, secret: str | None = None) -> Owner:
    """The owner that a client is, behind an upstream's key and a secret."""
    settings = Settings(
        client_keys=SHARED.client_keys,
        upstream=UpstreamSettings(api_key=Secret(upstream)),
        storage=StorageSettings(owner_secret=Secret(secret) if secret else None),
    )
    return Owner.of(settings, key_of(settings.client_keys, {"x-api-key": client}))


@pytest.mark.parametrize(("secret", "kept"), [(None, False), ("a-secret", True)])
def test_a_secret_of_their_own_outlives_the_upstreams_key(secret: str | None, kept: bool) -> None:
    """Marks and seals are the same behind another key; without such a secret they are nobody's."""
    before, after = owner(ALICE, "old", secret), owner(ALICE, "new", secret)

    assert (before.mark == after.mark, after.opened(before.sealed("file_1")) == "file_1") == (kept, kept)
    assert owner(BOB, "new", secret).opened(before.sealed("file_1")) is None


def test_an_owner_is_found_by_its_mark() -> None:
    """As whoever runs a batch later knows it."""
    alice = owner(ALICE, "key")
    settings = Settings(client_keys=SHARED.client_keys, upstream=UpstreamSettings(api_key=Secret("key")))
    marked = Owner.marked(settings, alice.mark)

    assert marked.opened(alice.sealed("file_1")) == "file_1"
