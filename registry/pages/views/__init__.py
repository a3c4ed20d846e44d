"""What the pages show: a module a subject, and those that several kinds of page share.

A view is a dictionary for a template; a function named `…_pages` yields pages with their keys.
Nothing here reads the database or writes a file.
"""
