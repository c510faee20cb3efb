"""Spans and metrics on their way to a receiver, as OTLP over HTTP; imported where one is named."""
