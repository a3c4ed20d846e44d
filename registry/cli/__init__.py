"""The command line: one verb a file, or a few that belong together."""
