-- Why it was asked for, in the words of whoever asked; null where nobody said.
alter table operations add column reason text;

-- Whose spec it is, why, and which revision's spec it is once more. Null where an older version recorded it.
alter table revisions
  add column requested_by text,
  add column reason text,
  add column restores integer;

alter table pipelines
  -- When the service tears it down by itself: what its spec's `ttl` comes to. Null: never.
  add column expires_at timestamptz,
  -- What somebody extended it to. A later apply doesn't make it shorter.
  add column extended_until timestamptz,
  add column expiry_warned_at timestamptz,
  -- When the service last asked for the destroy.
  add column expiry_submitted_at timestamptz;
create index pipelines_expiring on pipelines (expires_at) where expires_at is not null and deleted_at is null;

-- Resources that bear our tags and that no stack knows, as the last sweep of their account and region saw them.
create table orphans (
  aws_account_id text not null,
  region text not null,
  arn text not null,
  -- The tags say so; null where they don't.
  team text,
  pipeline text,
  first_seen_at timestamptz not null,
  last_seen_at timestamptz not null,
  primary key (aws_account_id, region, arn)
);

create table orphan_sweeps (
  aws_account_id text not null,
  region text not null,
  -- Of the last sweep that saw everything there.
  swept_at timestamptz,
  -- How many tagged resources that one looked at.
  resources integer,
  -- Why the last try came to nothing; null when it did not fail.
  error text,
  tried_at timestamptz not null,
  primary key (aws_account_id, region)
);

-- By which a sweep tells what a stack knows.
create index resources_by_arn on resources ((outputs->>'arn'));
