"""Benchmarks: each compares two ways in one run; only the ratio counts. Run by `make bench`."""
