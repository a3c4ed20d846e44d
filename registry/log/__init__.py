"""What the transparency log holds: entries, blobs, disclosure trees, erasure, and their replay.

Pure: an entry is a struct of `entry`, by which it is written and read; what an entry commits to
is a `blob`. Neither network nor database is touched; `files` alone reads and writes a folder.
"""
