"""Other formats: import by crosswalks, exports as CSV, XLSX, JSON Lines and linked data.

Nothing here files or publishes; that is what `registry.services` does with the documents.
"""
