"""Every name of a log event and of its fields that more than one place writes, once."""

from __future__ import annotations

REQUEST = "request"
"""One line for each request, when it is over."""

FAULT = "fault"
"""A bug of ours: an exception that reached the edge."""

STARTED = "started"
"""The server accepts connections."""

STOPPED = "stopped"
"""The server has ended all its requests."""

LEARNT = "learnt"
"""An upstream was found not to take something, which is left out from now on."""

CLIENT_LEFT = "client_left"
"""Outcome of a request whose client closed the connection first."""
