-- The search index is an index of tantivy in the data folder, made of search_version; its tables go.

-- Nobody else reads them, and what they had is made anew from the versions.
-- squawk-ignore ban-drop-table
drop table posting;
-- squawk-ignore ban-drop-table
drop table facet;
-- squawk-ignore ban-drop-table
drop table lexeme;

-- squawk-ignore ban-drop-column
alter table search_state drop column folded;
-- squawk-ignore ban-drop-column
alter table search_version drop column name_key;
