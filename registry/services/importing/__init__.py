"""Importing the records of other registers, published here under their register's name."""
