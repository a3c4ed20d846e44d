-- The entries that name a key of the log are read before each signature.
-- squawk-ignore require-concurrent-index-creation
create index log_entry_keys on log_entry (index) where kind in ('genesis', 'key');
