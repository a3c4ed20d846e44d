"""The demonstration, its invented times and its witness. Nothing but commands imports it."""
