"""What the pages show: one module for each kind of page, and those that several kinds share.

A view is a dictionary for a template; a function named `…_pages` yields pages with their keys.
Nothing here reads the register or writes a file.
"""
