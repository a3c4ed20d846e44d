"""Records as workbooks, out and in, and the process that reads any workbook, for imports too."""
