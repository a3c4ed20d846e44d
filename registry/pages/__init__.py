"""The static site: what each page shows, its build, copies to carry, and the audit of pages.

Notices for e-mail are worded here too. The only room with Jinja2.
"""
