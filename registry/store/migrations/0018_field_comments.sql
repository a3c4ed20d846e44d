-- Who returns a draft comments on its fields too.

-- comments: JSON, by JSON Pointer a text or texts by language, of the latest return.
alter table draft add column comments text;
