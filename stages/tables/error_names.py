"""The names under which servers say what an error is: of the members that hold one, and of what stands in them.

All without what differs between servers: case, `_` and `-`.
"""

from __future__ import annotations

INNER_NAMES = frozenset(
    [
        *("error", "errors", "err", "fault", "exception", "failure", "lasterror", "issues"),
        *("detail", "details", "statusdetails", "incompletedetails", "headers"),
        *("response", "data", "metadata", "raw", "body", "result", "baseresp"),
        *("cause", "innererror", "innerexception", "upstreamerror", "providererror", "originalerror"),
    ]
)
"""Members in which an error stands, or another part of it."""

ASIDE_NAMES = frozenset({"details", "data", "metadata", "innererror", "headers"})
"""Those of them that only explain: what stands there speaks where nothing else does."""

SENTENCE_NAMES = frozenset(
    [
        *("message", "msg", "errormessage", "errormsg", "errmsg", "statusmsg", "statusmessage"),
        *("errordescription", "faultstring", "description", "title"),
    ]
)
"""Members that say it in words."""

CODE_NAMES = frozenset(
    ["code", "type", "errorcode", "errortype", "status", "statuscode", "reason", "faultcode", "httpcode", "httpstatus"]
)
"""Members that say it in a word, or by a number."""

NUMBERED_NAMES = frozenset(["code", "errorcode", "status", "statuscode", "httpcode", "httpstatus", "type"])
"""Those of them whose number means something."""

PLACE_NAMES = ("param", "loc", "field", "parameter", "property", "path")
"""Members that name a field of the request; the first that says something counts."""

WAIT_NAMES = {
    **dict.fromkeys(("retryafter", "retrydelay", "retryafterseconds"), 1.0),
    **dict.fromkeys(("resetafter", "resetseconds", "resetsinseconds"), 1.0),
    "retryafterms": 0.001,
}
"""Members that say when to come back, and how many seconds their unit has."""

PROMPT_SIZE_NAMES = frozenset(
    [
        *("nprompttokens", "prompttokens", "inputtokens", "requestedtokens", "numtokens"),
        *("promptlength", "inputlength", "tokencount"),
    ]
)
"""Members that say how many tokens a prompt has."""

WINDOW_SIZE_NAMES = frozenset(
    [
        *("nctx", "contextlength", "contextwindow", "contextsize", "contextlimit", "maxcontextlength", "maxmodellen"),
        *("maxinputtokens", "maxprompttokens", "maxtokensallowed", "tokenlimit"),
    ]
)
"""Members that say how many would fit."""

SAYS_NOTHING = frozenset(
    [
        *("", "null", "none", "error", "fail", "failed", "response.failed", "response.error"),
        *("cancelled", "canceled", "completed", "incomplete", "in_progress", "success", "ok"),
    ]
)
"""Codes that are none."""
