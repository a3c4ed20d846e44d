"""SQL: the database, its migrations, its queries and typed rows of their results.

The only room with SQL and the PostgreSQL driver. It stores and reads; what may be stored is decided
in `registry.services` and `registry.ledger`.
"""
