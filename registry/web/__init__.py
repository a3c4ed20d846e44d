"""Pages that the server renders when asked, where the files of the site hold none.

They look as the site's pages do, from the same views and templates, and run no script.
"""
