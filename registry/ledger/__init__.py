"""The transparency log: append, publish its files, prove, verify.

Its mathematics are in `tlog`.
"""
