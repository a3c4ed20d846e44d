"""`make outage`: hosts that vanish, databases that fail over, updates under load.

Hosts are network namespaces on this machine, each with its own address and data folder. It needs
root, iproute2, PostgreSQL and HAProxy as Debian has them, and is no part of the test suite.
"""
