"""What became of each field that no stage has spoken about."""
