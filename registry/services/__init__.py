"""Use cases: what happens when somebody files, reads or administers.

A function is one transaction. What belongs to the log itself is in `ledger`.
"""
