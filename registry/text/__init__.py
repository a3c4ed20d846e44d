"""Languages: locales, translations, folding for search, safe Markdown. Pure."""
