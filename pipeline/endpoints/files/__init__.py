"""`/v1/files` in Anthropic's shapes, on what the upstream keeps."""
