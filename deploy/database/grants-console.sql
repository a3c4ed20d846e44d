-- What the console and the identity provider need beyond grants.sql: members, sessions, and the
-- tokens that agencies' admins make. Run after grants.sql, in the same way.
grant select on console_secret, console_session, kept_form, sign_in_attempt, sign_in_link to serving;
grant insert, update on console_secret to serving;
grant insert, update, delete on console_session, kept_form, sign_in_attempt, sign_in_link to serving;
grant select, delete on address_change to serving;
grant insert on mail_request to serving;
grant insert, update on member, notice, token to serving;
