"""Source files of other registers as rows, one module for each kind of file.

What a row means is not known here: a reader returns the cells by column, unchanged, and the place.
"""
