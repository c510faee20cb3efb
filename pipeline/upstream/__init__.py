"""The way to the upstream, by httpx: who else may import that is said in `pyproject.toml`, with the reason."""
