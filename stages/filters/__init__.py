"""What is done to texts and arguments while they stream, and only where a request asks for it."""
