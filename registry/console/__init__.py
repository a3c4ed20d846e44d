"""The filing office: pages where people file, review and sign in; use cases are in `services`.

`app` has its addresses and errors, `sessions` who asks, `page` how a page is rendered, `form*` the
form of a record, which is made from the schema.
"""
