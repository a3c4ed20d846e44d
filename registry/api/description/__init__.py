"""The description for programs, OpenAPI 3.1, at `/openapi.json`.

The framework knows addresses, parameters and sentences. What each operation answers stands in one
table, `operations.py`; whatever is so for every operation of a kind is said by rule.
"""
