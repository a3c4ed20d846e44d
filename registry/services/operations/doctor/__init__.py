"""What is not in order, and what to do about it: a table of checks, by what they look at."""
