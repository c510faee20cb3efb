"""What tests share: a scripted upstream, a client in memory, and ways to look at streams."""
