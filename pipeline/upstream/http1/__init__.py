"""An HTTP/1.1 client behind httpx's transport interface, framed in C; it imports nothing of ours."""
