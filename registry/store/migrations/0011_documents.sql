-- The documents of versions in canonical JSON, put together of their sections: the bytes, for as text
-- they would be decoded and encoded again by whoever passes them on.
create view content (record, version, document) as
select
    s.record,
    s.version,
    convert_to('{' || string_agg('"' || s.key || '":' || s.value, ',' order by s.key collate "C") || '}', 'utf8')
from section as s
group by s.record, s.version;
