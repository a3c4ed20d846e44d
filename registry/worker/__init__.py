"""The background runner: publishes the log, builds the site, sends notices, harvests.

Each server process keeps the search index of its host itself (`search.engine`).
"""
