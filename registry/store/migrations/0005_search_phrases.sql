-- Words of names, of summaries and of the rest apart, so that a phrase is found where it stands.
-- The index is made anew when the register opens.

truncate search_version, posting, facet, lexeme;
update search_state set folded = -1, epoch = epoch + 1, analysis = '';

-- name, summary, rest: JSON, by language the words in order.
-- squawk-ignore ban-drop-column
alter table search_version drop column words;
-- squawk-ignore adding-required-field
alter table search_version add column name text not null;
-- squawk-ignore adding-required-field
alter table search_version add column summary text not null;
-- squawk-ignore adding-required-field
alter table search_version add column rest text not null;

-- Folding writes most sets anew; the room of the old ones is soon needed again.
alter table posting set (
    autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_cost_delay = 0,
    toast.autovacuum_vacuum_scale_factor = 0.05, toast.autovacuum_vacuum_cost_delay = 0
);
