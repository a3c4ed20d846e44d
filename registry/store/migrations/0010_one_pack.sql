-- The country pack that the register began with: a command that is told another one must not mix the
-- agencies of two countries. Null in a register from before, until it is next opened.
alter table log_state add column pack text;
