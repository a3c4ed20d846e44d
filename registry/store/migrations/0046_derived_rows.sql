-- Expand: a column that code before does not know and leaves empty, which says that its rows are of another release.
-- By which analysis a row was derived from the log (`registry.text.tokens.ANALYSIS`); one of another, or of none, answers
-- nothing before it is derived anew.
alter table search_version add column analysis text;

-- Indexes have what releases before derived: they are made anew once.
update search_state set epoch = epoch + 1;
