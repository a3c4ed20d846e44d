"""The log as its operator keeps it: keys, witnesses, repair."""
