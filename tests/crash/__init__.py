"""The crash harness: kills a register under load, and proves that it kept its word.

Run by `make crash`; a short campaign of it is a test.
"""
