"""The search index, a tantivy index on disk, and its queries.

The index is a cache: it is made of the rows that the publishing transaction writes
(`store.search_rows`), holds the log up to the size that it names, is brought up before every
answer, and is thrown away and made anew when anything about it differs. `schema` has its fields,
`index` the files, `query` the question and the answer, `text_query` and `filters` the queries of
words and codes, `find` and `spelling` what is tried, `ranking` the orders, `labels` and
`highlights` the words around it; `engine` is the way through them.
"""
