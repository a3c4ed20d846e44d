-- Words of names, of summaries and of the rest apart, so that a phrase is found where it stands.
-- The index is made anew when the register opens.

truncate search_version, posting, facet, lexeme;
update search_state set folded = -1, epoch = epoch + 1, analysis = '';

-- name, summary, rest: JSON, by language the words in order.
-- squawk-ignore ban-drop-column
alter table search_version drop column words;
-- squawk-ignore adding-required-field
alter table search_version
add column name text not null,
add column summary text not null,
add column rest text not null;
