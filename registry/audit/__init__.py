"""Auditing a register from outside: it is rebuilt from its log here, and both are asked the same.

`mirror` keeps a copy of the log that was verified; `rebuild` makes a register of it, with its site,
in a temporary folder; `questions` lists the addresses that are asked; `comparison` says how two
answers differ; `audit` does it all and gives the verdict.
"""
