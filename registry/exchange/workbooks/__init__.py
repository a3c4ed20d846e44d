"""Workbooks to fill in: records as forms or rows of a table, written, read back and answered.

A sheet of a form reads downwards, one field a row; the columns of a table are those of the full
export. Nothing here reads or writes the register's database.
"""
