"""The HTTP edge: addresses, problems, tags; the only room with litestar."""
