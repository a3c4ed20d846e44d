-- Search knows on what ground little more than the existence of a system is published. The index is
-- made anew when the register opens.
update search_state set analysis = '';

-- The few entries of the log that are no versions can be read alone.
-- squawk-ignore require-concurrent-index-creation
create index log_entry_kind on log_entry (kind, index) where kind <> 'version';
