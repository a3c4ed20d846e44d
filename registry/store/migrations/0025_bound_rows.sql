-- Every row that an answer is made of follows from the log: it commits to verdicts, and rows can be derived again.

-- The salt of the verdict that the version's entry commits to; null for entries of earlier releases, which commit to
-- none, and empty where a redaction has changed the findings.
alter table version add column verdict_salt bytea;

-- What the last check of the rows by the log found; null while it found nothing.
alter table log_state add column fault text;

-- Findings quote what they are about: those that quote what a published redaction erases are dropped, and the salt
-- with which the log commits to them is destroyed.
create or replace function erase_findings(
    redaction bigint, of_record text, of_version integer, left_findings text
) returns void language plpgsql as $$
begin
    perform published_redaction(redaction);
    if exists (
        select from version as v cross join jsonb_array_elements(left_findings::jsonb) as f (finding)
        where v.record = of_record and v.version = of_version and not v.findings::jsonb @> jsonb_build_array(f.finding)
    ) then
        raise exception 'the redaction % would change more than it erases', redaction
            using errcode = 'integrity_constraint_violation';
    end if;
    perform set_config('registry.redaction', redaction::text, true);
    update version as v set
        findings = left_findings,
        verdict_salt = case when v.verdict_salt is not null then ''::bytea end
    where v.record = of_record and v.version = of_version;
    perform set_config('registry.redaction', '', true);
end
$$;

-- Rows that were made by earlier releases, of names that agencies had then, are made anew at the next start.
update search_state set analysis = '';
delete from blocking_key;
