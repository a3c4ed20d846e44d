-- Whole texts of kept rows, which pages show beside the part that a record has.

-- replaced: how often whole texts of published versions were replaced since, which adds no entry but changes pages.
alter table log_state add column replaced bigint not null default 0;

-- Which of these replacements was the last of the row's whole texts.
alter table source_row add column replaced_in bigint;
-- squawk-ignore require-concurrent-index-creation
create index source_row_replaced on source_row (replaced_in) where replaced_in is not null;
