"""The names of log events, and those of their values that more than one place writes."""

from __future__ import annotations

REQUEST = "request"
"""One line for each request, when it is over."""

BATCH = "batch"
"""One line for each call that begins, ends, reads or deletes a batch."""

FAULT = "fault"
"""A bug of ours: an exception that reached the application."""

CONNECTION_FAULT = "connection_fault"
"""An exception that ended a connection, in our server or in hypercorn's protocols; nothing else has noticed."""

STARTED = "started"
"""The server accepts connections."""

LOOKED = "looked"
"""The upstream was looked at: what it was taken for, by whom, and what it holds."""

RELOADED = "reloaded"
"""Settings were read anew: names of those that changed, and of those that need a restart; never a value."""

RELOAD_FAILED = "reload_failed"
"""Settings could not be read anew, and why; those from before are in."""

NOT_STARTED = "not_started"
"""Nothing was begun, and why: settings that are wrong, or a port that is taken."""

WORKER_ENDED = "worker_ended"
"""A worker ended unasked: which, how, and in how many seconds another takes its place."""

STOPPING = "stopping"
"""The server was told to end: by what, how many requests and streams run, and how long they have."""

STOPPED = "stopped"
"""The server has ended all its requests."""

LEARNT = "learnt"
"""An upstream was found not to take something, which is left out from now on."""

NOT_EXPORTED = "not_exported"
"""Telemetry that somebody has asked for is not sent, and why."""

CLIENT_LEFT = "client_left"
"""Outcome of a request whose client closed the connection first."""

CLIENT_STALLED = "client_stalled"
"""Outcome of a request whose client read nothing for `timing.write` seconds, and was cut."""

SERVER_STOPPED = "server_stopped"
"""Outcome of a request that ran when the server ended."""

OVERDUE = "overdue"
"""Outcome of a request that took longer than the limit for a whole one, and was cut."""

OTHER = "other"
"""What stands for a word that no table knows."""

OK = "ok"
"""Outcome of a request that was answered."""
