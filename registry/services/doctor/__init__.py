"""The examination of an installation: what is not in order, and what to do about it.

A module a part of it: this host, the database, what the register keeps in both, the proxy in front.
It changes nothing, and looks at what it can while the rest is down.
"""
