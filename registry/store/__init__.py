"""The only room with SQL: the database, its migrations, its queries and functions over them."""
