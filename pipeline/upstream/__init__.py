"""The way to the upstream: the only part of the program that knows httpx."""
