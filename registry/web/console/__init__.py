"""The console under `/office`: signing in, and the pages with which people file and review.

Handlers of litestar, which call `services` and render templates of `site/console`. No rule and no
SQL lives here.
"""
