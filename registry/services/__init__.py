"""Use cases: what happens when somebody files, reads or administers.

A function is one transaction. `filing` makes versions of drafts, `statements` has withdrawals,
attestations and redactions, `importing` other registers' records, `people` who acts, `log` keys,
witnesses and repair, `operations` start, backup, audit trail and doctor. `policy` says who may do
what, `context` is handed to all. What belongs to the log itself is in `ledger`.
"""
