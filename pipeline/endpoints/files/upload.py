"""`POST /v1/files`: a form comes in, is checked when it is whole, and goes on; it is never whole in memory."""

from __future__ import annotations

from pipeline.endpoints.context import Context
from pipeline.endpoints.exchange import Exchange
from pipeline.endpoints.files.form import UploadForm, read_form
from pipeline.endpoints.owners import Owner
from pipeline.storage.store import Store
from stages.canonical.failure import Failure, Kind
from stages.tables.identifiers import client_file_id
from stages.tables.stored_files import (
    StoredName,
    expiry_complaint,
    media_type_of,
    metadata,
    name_complaint,
    plain_name,
    type_of,
)

NO_FILES = Failure(Kind.NOT_FOUND, "The upstream of this server keeps no files.")
"""What a client of `/v1/files` is told where the upstream has no Files API, and this machine must not stand in."""


async def upload(context: Context, exchange: Exchange) -> Failure | None:
    """Keep a file for the client.

    Waits for the client, the disk and the upstream. Cancelled, it is kept all the same if its last byte was sent on.
    """
    store = context.files
    if store is None:
        return NO_FILES
    form = await read_form(exchange, context.settings.limits.file_bytes, context.settings.timing.body)
    if not isinstance(form, UploadForm):
        return form
    try:
        told = await _kept(
            store, context.target.profile.file_purpose, Owner.of(context.settings, exchange.headers), form
        )
    finally:
        form.close()
    return await exchange.tell(told)


async def _kept(store: Store, purpose: str, owner: Owner, form: UploadForm) -> dict[str, object] | Failure:
    name = _name_of(form, owner)
    expires = form.fields.get("expires_in_seconds")
    complaint = name_complaint(name.filename) or (
        expiry_complaint(expires, store.max_age) if expires is not None else None
    )
    if complaint is not None:
        return Failure(Kind.INVALID_REQUEST, complaint)
    if form.file is None or not form.size:
        return Failure(Kind.INVALID_REQUEST, "file: the file is empty")
    fields = {"purpose": purpose}
    if expires is not None:
        fields |= {"expires_after[anchor]": "created_at", "expires_after[seconds]": expires}
    told = await store.upload(fields, name.written(), form.file, form.size)
    return told if isinstance(told, Failure) else metadata(owner.sealed(client_file_id(told["id"])), name, told)


def _name_of(form: UploadForm, owner: Owner) -> StoredName:
    """The name and type of a file: the type by the part's word, or else by the name's ending."""
    given = media_type_of(form.media_type)
    filename = plain_name(form.filename, given or type_of(""))
    return StoredName(filename, given or type_of(filename), owner.mark)
