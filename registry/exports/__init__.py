"""What is taken away: CSV, JSON Lines, XLSX, linked data. It knows nothing of HTTP."""
