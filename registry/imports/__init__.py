"""The files of other registers, read and converted to records by crosswalks.

Edges convert by it; `hub` has its ids from here.
"""
