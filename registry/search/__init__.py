"""The search index: postings of terms and codes in PostgreSQL, queried as bitmaps in memory.

An ordinal is the log index of a version's entry, so the newest version has the largest. Superseded
versions stay in the index: what was in force as of entry N are the ordinals up to N without those
that an entry up to N superseded. The rooms above ask `engine.SearchIndex`.
"""
