"""A register of the algorithms that public bodies use."""

__version__ = "0.1.0"
