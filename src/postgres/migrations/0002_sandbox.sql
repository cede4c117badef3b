-- The sandbox's stand-in for AWS. Nothing outside this schema refers to it.
create schema sandbox;

create table sandbox.resources (
  id uuid primary key default gen_random_uuid(),
  -- Order of creation: pages of the inventory go by it.
  number bigint generated always as identity unique,
  type text not null,
  account text not null,
  region text not null,
  -- What no two resources may share, such as a bucket's name.
  identity text not null unique,
  aws_id text not null,
  arn text,
  name text,
  -- "type|id" of the resource this one is a part of; it goes when that one goes.
  parent text,
  inputs jsonb not null,
  outputs jsonb not null,
  -- Paths of the values that were secret when the engine sent them.
  secrets jsonb not null default '[]',
  -- Objects in a bucket, images in a repository, recovery points in a vault.
  contents integer not null default 0 check (contents >= 0),
  -- A key or secret whose deletion is scheduled: gone for programs, its name still taken.
  deletion_due_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);

create index resources_by_aws_id on sandbox.resources (aws_id, type);
create index resources_by_arn on sandbox.resources (arn) where arn is not null;
create index resources_by_name on sandbox.resources (name, type) where name is not null;
create index resources_by_parent on sandbox.resources (parent) where parent is not null;
create index resources_by_type on sandbox.resources (type, account);

-- Revisions of task definitions, versions of layers: AWS counts them for ever, also after deletion.
create table sandbox.revisions (
  subject text primary key,
  latest integer not null
);

create table sandbox.faults (
  id uuid primary key default gen_random_uuid(),
  kind text not null check (kind in ('throttle', 'error', 'latency')),
  type text not null,
  operation text not null check (operation in ('create', 'read', 'update', 'delete', '*')),
  account text,
  probability double precision not null default 1 check (probability > 0 and probability <= 1),
  -- How many calls it still strikes; null means without end.
  remaining integer check (remaining >= 0),
  code text,
  message text,
  latency_ms integer check (latency_ms > 0),
  -- Times what such a resource typically takes on AWS to be created.
  latency_factor double precision check (latency_factor > 0),
  created_at timestamptz not null default now()
);

create function sandbox.announce_faults() returns trigger language plpgsql as $$
begin
  perform pg_notify('sandbox_faults', '');
  return null;
end $$;

-- Not on update: counting down a fault needs no announcement, whoever counts checks the row itself.
create trigger announce_faults after insert or delete or truncate on sandbox.faults
  for each statement execute function sandbox.announce_faults();

create table sandbox.pipeline_executions (
  arn text primary key,
  number bigint generated always as identity unique,
  account text not null,
  region text not null,
  pipeline_name text not null,
  display_name text,
  description text,
  status text not null,
  parameters jsonb not null default '[]',
  client_token text,
  started_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  unique (account, region, pipeline_name, client_token)
);

create index pipeline_executions_by_pipeline on sandbox.pipeline_executions (account, region, pipeline_name, number);

create table sandbox.model_packages (
  arn text primary key,
  number bigint generated always as identity unique,
  account text not null,
  region text not null,
  group_name text not null,
  version integer not null,
  approval_status text not null,
  -- The rest as it was given: inference specification, metrics, metadata.
  details jsonb not null default '{}',
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  unique (account, region, group_name, version)
);
