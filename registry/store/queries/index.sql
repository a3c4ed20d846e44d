-- name: insert_versions
insert into search_version (ord, name_key, codes, card, name, summary, rest)
select ord, name_key, codes, card, name, summary, rest
from unnest($1::bigint [], $2::text [], $3::text [], $4::text [], $5::text [], $6::text [], $7::text [])
    as new (ord, name_key, codes, card, name, summary, rest)

-- name: state
select l.size, s.folded, s.epoch, s.analysis
from search_state as s cross join log_state as l

-- name: lock_state
select l.size, s.folded, s.epoch, s.analysis
from search_state as s cross join log_state as l
for update of s

-- name: new_versions
select ord, codes, name, summary, rest from search_version where ord > $1 and ord < $2 order by ord limit $3

-- name: words
select ord, name, summary, rest from search_version where ord = any($1::bigint [])

-- name: with_phrase
-- The first of name, summary and rest in which words stand in a row, in any language.
select
    ord,
    case
        when position($2 in name) > 0 then 0
        when position($2 in summary) > 0 then 1
        else 2
    end as tier
from search_version
where
    ord = any($1::bigint [])
    and (position($2 in name) > 0 or position($2 in summary) > 0 or position($2 in rest) > 0)

-- name: cards
select ord, card from search_version where ord = any($1::bigint [])

-- name: names
select ord, name_key from search_version where ord = any($1::bigint [])

-- name: names_after
select ord, name_key from search_version
where name_key >= $1 and (name_key > $1 or ord < $2)
order by name_key, ord desc
limit $3

-- name: facets
select kind, code, bits from facet

-- name: some_facets
select f.kind, f.code, f.bits
from unnest($1::text [], $2::text []) as w (kind, code)
inner join facet as f on f.kind = w.kind and f.code = w.code

-- name: save_facets
insert into facet (kind, code, bits)
select kind, code, bits from unnest($1::text [], $2::text [], $3::bytea []) as new (kind, code, bits)
on conflict (kind, code) do update set bits = excluded.bits

-- name: postings
select p.lang, p.term, p.name, p.summary, p.anywhere
from unnest($1::text [], $2::text []) as w (lang, term)
inner join posting as p on p.lang = w.lang and p.term = w.term

-- name: save_postings
insert into posting (lang, term, name, summary, anywhere)
select lang, term, name, summary, anywhere
from unnest($1::text [], $2::text [], $3::bytea [], $4::bytea [], $5::bytea [])
    as new (lang, term, name, summary, anywhere)
on conflict (lang, term) do update
    set name = excluded.name, summary = excluded.summary, anywhere = excluded.anywhere

-- name: save_lexemes
insert into lexeme (word, lang, first)
select word, lang, first from unnest($1::text [], $2::text [], $3::bigint []) as new (word, lang, first)
on conflict (word, lang) do nothing

-- name: save_folded
update search_state set folded = $1

-- name: words_that_begin
select word, lang, first from lexeme where word >= $1 and word < $2

-- name: words_among
select word, lang, first from lexeme where word = any($1::text [])

-- name: words_alike
-- Those that begin or end like a word, and are about as long.
select word, lang, first from lexeme
where word >= $1 and word < $2 and char_length(word) between $5 and $6
union
select word, lang, first from lexeme
where reverse(word) >= $3 and reverse(word) < $4 and char_length(word) between $5 and $6

-- name: begin_anew
update search_state set folded = -1, epoch = epoch + 1, analysis = $1

-- name: clear
truncate search_version, posting, facet, lexeme

-- name: documents
select
    v.entry as ord,
    (select c.document from content as c where c.record = v.record and c.version = v.version) as document,
    array(select m.pointer from erased_member as m where m.entry = v.entry) as erased
from version as v where v.entry = any($1::bigint [])

-- name: superseded
select until_entry as by, entry as ord from figure
where until_entry > $1 and until_entry < $2
order by until_entry

-- name: moved
-- The versions that moved their record's risk level, of the entries from $1 to before $2.
select entry, risk_change from figure
where risk_change is not null and entry >= $1 and entry < $2

-- name: standing_for
-- What stood of the records of versions when entry $2 was the last.
select distinct f.entry
from figure as given inner join figure as f on f.record = given.record
where given.entry = any($1::bigint []) and f.entry <= $2 and (f.until_entry is null or f.until_entry > $2)

-- name: all_versions
-- Of some entries, or of all.
select
    v.entry, v.record, v.version, v.published_at, v.completeness, v.missing, v.findings, r.agency,
    array(
        select distinct f.risk_change from figure as f
        where f.record = v.record and f.entry <= v.entry and f.risk_change is not null
        order by f.risk_change
    ) as risk_changes,
    (select c.document from content as c where c.record = v.record and c.version = v.version) as document,
    array(select m.pointer from erased_member as m where m.entry = v.entry) as erased
from version as v inner join record as r on r.id = v.record
where $1::bigint [] is null or v.entry = any($1)
order by v.entry
