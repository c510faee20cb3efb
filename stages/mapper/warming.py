"""`max_tokens: 0`: the prompt is to be in the cache, and nothing is to be said.

A model with breakpoints prepares its cache when it is told to, and writes nothing.  Any other must answer to read the
prompt: with as little as it can be asked for, at its lowest effort, and none of that is shown.  The limit is sent in
either case, so that a server which passes over the wish writes no more than that.
"""

from __future__ import annotations

from typing import Any

from stages.canonical.place import ROOT
from stages.canonical.report import Report
from stages.canonical.request import Request
from stages.tables.models import Model
from stages.tables.profiles import Profile


def warm(body: dict[str, Any], request: Request, model: Model, profile: Profile, report: Report) -> None:
    """Make a request one that warms the cache, if it asks for that.

    Args:
        body: the upstream request; changed in place.
        request: what the client asked.
        model: what the upstream model takes.
        profile: what the server takes.
        report: gets the note.
    """
    if request.max_tokens != 0:
        return
    place = ROOT.field("max_tokens")
    if model.cache_breakpoints and profile.cache_breakpoints:
        body["prompt_cache_options"] = {**body.get("prompt_cache_options", {}), "prewarm": True}
        report.translated(place, "to prompt_cache_options.prewarm")
        return
    if model.efforts and profile.effort:
        body["reasoning"] = {"effort": model.efforts[0]}
    report.emulated(place, f"the upstream is asked for {profile.min_output_tokens} tokens, and none of them is shown")
