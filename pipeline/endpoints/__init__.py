"""The routes that clients call, and the application where HTTP begins."""
