"""The record format: schema, rules, requirements, canonical bytes, sections, diffs.

Pure: nothing here does I/O, but for reading the files of the format, and nothing knows the network,
the database or the register.
"""
