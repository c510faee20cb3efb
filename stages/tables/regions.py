"""Where an upstream computes, as far as the name of its host tells.

Source: OpenAI's page on data residency (`us.api.openai.com`, `eu.api.openai.com` and others in two letters), and the
names of Amazon's endpoints, which hold the region.  Other hosts do not tell.
"""

from __future__ import annotations

import re
from urllib.parse import urlsplit

_OPENAI = re.compile(r"([a-z]{2})\.api\.openai\.com")
_AMAZON = re.compile(r"(?:.*[.-])?([a-z]{2})-(?:gov-)?[a-z]+-\d(?:\..*)?\.(?:amazonaws\.com|api\.aws)")

ANYWHERE = "global"
"""The `inference_geo` that leaves the place open."""


def region_of(url: str) -> str | None:
    """The region in two letters, such as `us` or `eu`; None where the host does not tell."""
    host = (urlsplit(url).hostname or "").lower()
    match = _OPENAI.fullmatch(host) or _AMAZON.fullmatch(host)
    return match[1] if match else None
