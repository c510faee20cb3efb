"""The page at `/dragoman/`: what runs now, what it costs, and what goes wrong, in pictures and tables."""
