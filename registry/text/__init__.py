"""Natural-language text: locales, translations, search tokens, Markdown, diffs. No I/O but data."""
