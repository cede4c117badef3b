-- Every change and every denied try, as a chain: each entry carries the hash of the one before and its own, keyed by a secret
-- that the database doesn't have.
create table audit_entries (
  sequence bigint primary key,
  -- Later than that of the entry before, so that pages and filters need no other key.
  at timestamptz not null unique,
  subject text not null,
  label text not null,
  team text,
  action text not null,
  target text not null,
  outcome text not null check (outcome in ('changed', 'denied')),
  source_address text,
  request_id text not null,
  -- json keeps the very text that was hashed; jsonb would write numbers and keys in another way.
  before json,
  after json,
  previous_hash text not null,
  hash text not null
);

create index audit_entries_by_team on audit_entries (team, at);
create index audit_entries_by_subject on audit_entries (subject, at);

create trigger audit_entries_are_immutable before update or delete on audit_entries
  for each row execute function refuse_change();
create trigger audit_entries_are_kept before truncate on audit_entries
  for each statement execute function refuse_change();

-- Null where an older version of the service recorded the operation.
alter table operations add column requested_by text;
