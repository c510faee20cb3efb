"""The translation between the Anthropic Messages API and the OpenAI Responses API.

Nothing here opens a socket, reads a clock or writes a log, so it can be embedded anywhere.
The program around it is the package `pipeline`, which imports this one and never the other way round.
"""
