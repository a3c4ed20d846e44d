"""The background runner: publishes the log, builds the site, maintains the search index."""
