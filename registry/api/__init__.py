"""The HTTP API: litestar's handlers, the middleware around them, and the site's files.

A module a subject: its handlers, with their parameters and answers, from which `/openapi.json` is
made. The rules are in `services` and below; here a request is mapped to them, and their errors to
problems. Litestar is here, in `web` and in `console`; it holds no templates and no SQL.
"""
