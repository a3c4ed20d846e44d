"""What a record is: the format, its rules, its bytes.

Pure: no input or output but the files of the format.
"""
