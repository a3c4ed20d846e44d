"""The static site: what each page shows; the only room with Jinja2."""
