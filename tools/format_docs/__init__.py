"""Write the documentation of the record format: Markdown from the schema and its tables.

The pages are committed in `docs/record-format`, travel in the wheel, and are shown on the site.
"""
