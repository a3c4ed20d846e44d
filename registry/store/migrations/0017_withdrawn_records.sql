-- A new record is compared with what its agency has withdrawn.

-- squawk-ignore require-concurrent-index-creation
create index record_withdrawn on record (agency, entry) where state = 'withdrawn';
