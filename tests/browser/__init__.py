"""The pages of the site and of the console in a real browser."""
