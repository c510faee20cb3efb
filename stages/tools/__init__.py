"""Tools that Anthropic defines: those that its servers run, and those that the client runs."""
