"""The transparency log's mathematics and formats, one file per specification page.

Pure; knows nothing of registers.
"""
