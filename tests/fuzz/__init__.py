"""Fuzzing a running register: schemathesis for breadth, a model of a record's life for depth."""
