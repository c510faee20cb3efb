"""What a request's report says at the end, so that nothing in it is passed over in silence (law 10).

The stages note what they do where they do it.  What is left out on purpose no stage sees, so `drops` says it; then
`defaults` asks the report about every part that carries anything of its own, and fills in what nobody has spoken of.
"""

from __future__ import annotations

from collections.abc import Collection

from stages.canonical.report import Report
from stages.canonical.request import Request
from stages.mapper.field_report.defaults import report_defaults
from stages.mapper.field_report.drops import report_drops
from stages.tables.profiles import Profile

__all__ = ["complete"]


def complete(report: Report, request: Request, profile: Profile, server_tools: Collection[str]) -> None:
    """Complete the report of a request that all stages have seen.

    Args:
        report: what the stages have noted; gets the rest.
        request: the request.
        profile: what the server takes.
        server_tools: the upstream's types of the tools that it was told to run itself.
    """
    report_drops(request, profile, server_tools, report)
    report_defaults(request, report)
