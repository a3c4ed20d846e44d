"""The log in this register's database: append, sign, publish, prove, check the rows.

What entries are is in `log`, their mathematics in `tlog`.
"""
