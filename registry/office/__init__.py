"""Use cases: what happens when somebody files, reads or administers.

One function is one transaction.
"""
