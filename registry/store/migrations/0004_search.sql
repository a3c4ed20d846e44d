-- Search: sets of versions by word and by facet, in place of PostgreSQL's full text search.

-- Nobody else reads it, and it is made anew from the versions.
-- squawk-ignore ban-drop-table
drop table search_row;

-- What the index knows of one version. ord: the log index of its entry; codes: JSON, by kind of
-- facet; card: the JSON that lists show; words: JSON, by language the words of name, summary and
-- rest, in order. It can be made anew from the versions.
create table search_version (
    ord bigint primary key references version (entry),
    name_key text collate "C" not null,
    codes text not null,
    card text not null,
    words text not null
);
create index search_version_name on search_version (name_key, ord desc);

-- What put versions out of force, in the order of the log.
-- squawk-ignore require-concurrent-index-creation
create index figure_until on figure (until_entry, entry) where until_entry is not null;

-- The versions of a code, and those with a term: roaring bitmaps in their portable form, of the
-- ordinals up to search_state.folded. name, summary: where the term stands in those as well.
create table facet (
    kind text collate "C" not null,
    code text collate "C" not null,
    bits bytea not null,
    primary key (kind, code)
);
alter table facet alter column bits set storage external;

create table posting (
    lang text collate "C" not null,
    term text collate "C" not null,
    name bytea,
    summary bytea,
    anywhere bytea not null,
    primary key (lang, term)
);
alter table posting alter column name set storage external;
alter table posting alter column summary set storage external;
alter table posting alter column anywhere set storage external;

-- Every word as it is written, folded, by language, with the first version that has it.
create table lexeme (
    word text collate "C" not null,
    lang text collate "C" not null,
    first bigint not null,
    primary key (word, lang)
);
create index lexeme_reversed on lexeme (reverse(word) collate "C");

-- One row. folded: the last ordinal in facet, posting and lexeme; epoch: rises when the index is
-- made anew; analysis: what made it, empty before the first time.
create table search_state (
    only_row boolean primary key default true check (only_row),
    folded bigint not null,
    epoch bigint not null,
    analysis text not null
);
insert into search_state (folded, epoch, analysis) values (-1, 0, '');
