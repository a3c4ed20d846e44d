-- Publishing reads without locks and writes with one statement, if the log is as it was read.

-- erasures: how often something that was published was destroyed since, which adds no entry but changes
-- what there is to be read.
alter table log_state add column erasures bigint not null default 0;

-- One statement writes a version and its sections, and neither is ever changed or removed: to look the
-- version up again for each of its sections took as long as to write them.
-- squawk-ignore ban-drop-constraint
alter table section drop constraint section_record_version_fkey;

-- To compress the words took as long as all else that is written of a version.
alter table search_version alter column name set storage external;
alter table search_version alter column summary set storage external;
alter table search_version alter column rest set storage external;
