"""Tools for developers; nothing of a register needs them."""
