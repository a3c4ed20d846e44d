"""The command line: one command a module, or a few that belong together.

A module declares arguments and prints results. The group in `main` imports the module of a command
when that is called, so that the list of commands costs nothing. Use cases are in
`registry.services`, never here.
"""
