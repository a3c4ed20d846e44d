"""The search index: rows of PostgreSQL, and in each process sets of them to answer with.

An ordinal is the log index of a version's entry, so the newest version has the largest. Versions
that were superseded stay in the index: what stood as of entry N are the ordinals up to N without
those that an entry up to N superseded.
"""
