"""The command line: one command a module, or a few that belong together.

A module declares arguments and prints results; what it works with it imports inside the command, so
that help and wrong arguments cost nothing. Use cases are in `registry.services`, never here.
"""
