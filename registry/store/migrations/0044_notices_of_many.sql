-- What one request submits is one notice to each reviewer, which counts it.
alter table notice add column number integer not null default 1;
