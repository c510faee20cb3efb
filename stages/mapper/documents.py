"""Documents of a prompt: files stay files under a name that fits, texts become text, what is said about them stays.

Title and context stay beside the document, so that the model can name what it quotes.  What is to be cited is shown
by `source_parts`.
"""

from __future__ import annotations

import re

from stages.canonical.request import Document, Source
from stages.tables.identifiers import upstream_file_id
from stages.tables.media_types import PICTURE_TYPES, PROSE, Bytes, ending_of, is_text, read_base64
from stages.wire import responses_request as responses
from stages.wire.responses_request import ContentPart

_PDF = "application/pdf"
_NOT_IN_FILENAMES = re.compile(r"[^\w .()-]+")
_MAX_NAME = 200


def document_parts(block: Document) -> list[ContentPart]:
    """Translate a document, all but the blocks that it may be made of; those follow."""
    parts = _source_parts(block.source, block.title)
    context = [responses.input_text(f"Context of the document below: {block.context}")] if block.context else []
    named = block.title and any(str(part.get("filename", "")).startswith(block.title) for part in parts)
    title = [responses.input_text(f"Document: {block.title}")] if block.title and not named else []
    return [*context, *title, *parts]


def text_of_document(block: Document) -> str | None:
    """The text of a document that is one, whatever it came as; None for files, and for what is made of blocks."""
    parts = _source_parts(block.source, block.title)
    return parts[0]["text"] if parts and parts[0]["type"] == "input_text" else None


def filename(title: str | None, media_type: str) -> str:
    """Name a file after its title, with the ending that belongs to its type; what names cannot hold becomes `_`."""
    name = _NOT_IN_FILENAMES.sub("_", title or "document").strip()[:_MAX_NAME] or "document"
    ending = f".{ending_of(media_type)}"
    return name if name.lower().endswith((ending, *_SAME.get(ending, ()))) else name + ending


def text_instead(part: ContentPart) -> ContentPart | None:
    """Show the file of a part as text; None if it is none, or somewhere else."""
    file = read_base64(part.get("file_data", ""), None, "")
    text = file.text if is_text(file.media_type) else None
    return responses.input_text(text) if text else None


def _source_parts(source: Source, title: str | None) -> list[ContentPart]:
    if source.type == "url" and not (source.url or "").startswith("data:"):
        return [responses.input_file_url(source.url or "")]
    if source.type == "file":
        return [responses.input_file_id(upstream_file_id(source.file_id or ""))]
    if source.type in ("base64", "url"):
        data = source.data if source.type == "base64" else source.url
        return _bytes_parts(read_base64(data or "", source.media_type, _PDF), title)
    return [responses.input_text(source.data)] if source.data else []


def _bytes_parts(file: Bytes, title: str | None) -> list[ContentPart]:
    if file.media_type in PICTURE_TYPES:
        return [responses.input_image(f"data:{file.media_type};base64,{file.data}")]
    text = file.text if file.media_type in PROSE else None
    if text is None:
        return [responses.input_file_data(filename(title, file.media_type), file.media_type, file.data)]
    return [responses.input_text(text)] if text else []


_SAME: dict[str, tuple[str, ...]] = {
    ".html": (".htm", ".xhtml"),
    ".jpg": (".jpeg",),
    ".yaml": (".yml",),
    ".md": (".markdown",),
    ".tex": (".latex",),
    ".txt": (".text", ".log"),
}
"""Endings that say the same."""
