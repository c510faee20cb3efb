"""Media types of files: how their names end, which of them are text, and base64 as clients write it.

The upstream goes by the ending of a file's name, Anthropic by its media type.  Source of the endings: the upstream's
table of file inputs, and the registry of media types.
"""

from __future__ import annotations

import base64
import binascii

import attrs

ENDINGS: dict[str, str] = {
    "application/pdf": "pdf",
    "text/plain": "txt",
    "text/markdown": "md",
    "text/csv": "csv",
    "application/csv": "csv",
    "text/tab-separated-values": "tsv",
    "text/html": "html",
    "application/xhtml+xml": "html",
    "text/xml": "xml",
    "application/xml": "xml",
    "image/svg+xml": "svg",
    "application/json": "json",
    "application/x-ndjson": "jsonl",
    "application/jsonl": "jsonl",
    "text/yaml": "yaml",
    "application/yaml": "yaml",
    "application/x-yaml": "yaml",
    "application/toml": "toml",
    "text/css": "css",
    "text/javascript": "js",
    "application/javascript": "js",
    "application/typescript": "ts",
    "text/x-python": "py",
    "text/x-script.python": "py",
    "text/x-c": "c",
    "text/x-c++": "cpp",
    "text/x-java": "java",
    "text/x-ruby": "rb",
    "text/x-php": "php",
    "text/x-go": "go",
    "text/x-rust": "rs",
    "text/x-sh": "sh",
    "application/x-sh": "sh",
    "application/sql": "sql",
    "text/x-tex": "tex",
    "application/x-tex": "tex",
    "application/x-latex": "tex",
    "text/calendar": "ics",
    "text/vcard": "vcf",
    "message/rfc822": "eml",
    "application/rtf": "rtf",
    "text/rtf": "rtf",
    "application/msword": "doc",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "docx",
    "application/vnd.oasis.opendocument.text": "odt",
    "application/vnd.ms-excel": "xls",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "xlsx",
    "application/vnd.oasis.opendocument.spreadsheet": "ods",
    "application/vnd.ms-powerpoint": "ppt",
    "application/vnd.openxmlformats-officedocument.presentationml.presentation": "pptx",
    "application/vnd.oasis.opendocument.presentation": "odp",
    "application/epub+zip": "epub",
    "application/zip": "zip",
    "image/jpeg": "jpg",
    "image/png": "png",
    "image/gif": "gif",
    "image/webp": "webp",
}
"""Media type to the ending of a file's name."""

PICTURE_TYPES = frozenset({"image/jpeg", "image/jpg", "image/png", "image/gif", "image/webp"})
"""What the upstream takes as a picture."""

PROSE = frozenset({"text/plain", "text/markdown"})
"""Files that are nothing but text, and lose nothing by becoming it."""

_READABLE = frozenset({"application/json", "application/xml", "application/sql", "application/javascript"})
_READABLE_ENDS = ("+json", "+xml", "/yaml", "/x-yaml", "/x-ndjson", "/jsonl", "/toml", "/typescript", "/x-sh", "/csv")


def is_text(media_type: str) -> bool:
    """Whether a file of this type can be shown as text."""
    return media_type.startswith("text/") or media_type in _READABLE or media_type.endswith(_READABLE_ENDS)


def ending_of(media_type: str) -> str:
    """How the name of such a file ends; `txt` for a text and `bin` for anything else that is not known."""
    return ENDINGS.get(media_type, "txt" if is_text(media_type) else "bin")


@attrs.frozen
class Bytes:
    """The bytes of a file.

    Attributes:
        media_type: their type, in lower case and without parameters.
        data: base64 on one line.
    """

    media_type: str
    data: str = attrs.field(repr=False)

    @property
    def text(self) -> str | None:
        """What they say as text; None when they are no UTF-8."""
        try:
            return base64.b64decode(self.data + "=" * (-len(self.data) % 4)).decode("utf-8-sig")
        except (binascii.Error, ValueError):
            return None


def read_base64(data: str, media_type: str | None, default: str) -> Bytes:
    """Read base64 as clients write it: with line breaks, or as a whole `data:` URL.

    Args:
        data: the base64.
        media_type: what the client says of it, which counts; else a `data:` URL may say it.
        default: the type when nobody says it.
    """
    said, data = _prefix(data)
    kind = (media_type or said or default).partition(";")[0].strip().lower()
    return Bytes(kind, "".join(data.split()))


def _prefix(data: str) -> tuple[str, str]:
    """Take the head of a `data:` URL off: its media type, and what follows."""
    if not data.startswith("data:"):
        return "", data
    head, comma, rest = data.partition(",")
    return (head.removeprefix("data:").partition(";")[0], rest) if comma else ("", data)
