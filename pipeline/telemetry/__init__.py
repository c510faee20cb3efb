"""What the program says about itself: names, logs, what a request cost and how the cache served it."""
