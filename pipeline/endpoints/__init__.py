"""The routes that clients call, and the edge where HTTP begins."""
