"""Other formats in and out: crosswalks turn foreign rows into documents; files nothing itself."""
