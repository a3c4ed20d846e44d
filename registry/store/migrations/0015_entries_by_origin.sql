-- The list of changes begins with what was filed here, which may be few of many entries.

-- squawk-ignore require-concurrent-index-creation
create index figure_origin on figure (coalesce(origin, 'local'), entry);
-- squawk-ignore require-concurrent-index-creation
create index figure_origin_sector on figure (coalesce(origin, 'local'), sector, entry);
