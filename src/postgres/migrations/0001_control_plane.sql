-- A deleted team keeps its row, because the history of its pipelines belongs to it; creating it anew revives it.
create table teams (
  name text primary key,
  display_name text not null,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  deleted_at timestamptz
);

-- One Pulumi stack. Whoever changes it holds the newest fencing token; writes that carry an older one are refused.
create table stacks (
  id uuid primary key default gen_random_uuid(),
  project text not null,
  name text not null,
  -- Whether the state backend knows the stack: saves the engine a "create or select" on every operation.
  initialized boolean not null default false,
  fencing_token bigint not null default 0,
  outputs jsonb,
  outputs_recorded_at timestamptz,
  unique (project, name)
);

create sequence fencing_tokens;

-- The account-wide resources of one AWS account and region, shared by every team that registered it.
create table foundations (
  aws_account_id text not null,
  region text not null,
  stack_id uuid not null references stacks (id),
  ready boolean not null default false,
  created_at timestamptz not null default now(),
  primary key (aws_account_id, region)
);

create table accounts (
  team text not null references teams (name),
  name text not null,
  aws_account_id text not null,
  region text not null,
  role_arn text,
  external_id text,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (team, name),
  foreign key (aws_account_id, region) references foundations (aws_account_id, region)
);
create index accounts_by_foundation on accounts (aws_account_id, region);

-- A deleted pipeline keeps its row, so that its revisions, operations and events stay readable; its name is free again.
create table pipelines (
  id uuid primary key default gen_random_uuid(),
  team text not null references teams (name),
  name text not null,
  account text not null,
  stack_id uuid not null references stacks (id),
  desired_revision integer not null,
  applied_revision integer,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  deleted_at timestamptz
);
create unique index pipelines_live_name on pipelines (team, name) where deleted_at is null;
create index pipelines_by_account on pipelines (team, account) where deleted_at is null;
create index pipelines_by_stack on pipelines (stack_id);

create table revisions (
  pipeline_id uuid not null references pipelines (id),
  number integer not null,
  spec jsonb not null,
  digest text not null,
  created_at timestamptz not null default now(),
  primary key (pipeline_id, number)
);

create function refuse_change() returns trigger language plpgsql as $$
begin
  raise exception '% rows are immutable', tg_table_name using errcode = 'restrict_violation';
end $$;
create trigger revisions_are_immutable before update or delete on revisions
  for each row execute function refuse_change();
create trigger revisions_are_kept before truncate on revisions
  for each statement execute function refuse_change();

create table operations (
  id uuid primary key,
  kind text not null
    check (kind in ('preview', 'update', 'destroy', 'refresh', 'drift', 'reconcile', 'rollback')),
  state text not null default 'queued'
    check (state in ('queued', 'running', 'awaiting_approval', 'succeeded', 'failed', 'cancelled', 'superseded',
                     'needs_repair')),
  stack_id uuid not null references stacks (id),
  team text not null,
  -- Exactly one of these two names what the operation works on; the id is missing for a preview of a pipeline to come.
  account text,
  pipeline text,
  pipeline_id uuid references pipelines (id),
  revision integer,
  options jsonb not null default '{}',
  request_id text not null,
  created_at timestamptz not null default clock_timestamp(),
  started_at timestamptz,
  finished_at timestamptz,
  result jsonb,
  error jsonb,
  cancel_requested_at timestamptz,
  -- Who runs it, and until when that may be believed.
  node text,
  runner text,
  process_group integer,
  fencing_token bigint,
  lease_until timestamptz,
  check ((pipeline is null) <> (account is null))
);
create index operations_newest on operations (created_at desc, id desc);
create index operations_by_stack on operations (stack_id, created_at desc);
create index operations_by_pipeline on operations (pipeline_id, created_at desc) where pipeline_id is not null;
create index operations_by_team on operations (team, created_at desc, id desc);
create index operations_active on operations (stack_id) where state in ('queued', 'running', 'awaiting_approval');

create table operation_events (
  operation_id uuid not null references operations (id),
  sequence integer not null,
  at timestamptz not null,
  type text not null,
  phase text,
  body jsonb not null,
  primary key (operation_id, sequence)
);

-- What the last operation on a stack left in its state: the answer to "which resources", without reading the state.
create table resources (
  stack_id uuid not null references stacks (id),
  urn text not null,
  position integer not null,
  type text not null,
  name text not null,
  aws_id text,
  phase text,
  parent text,
  dependencies text[] not null,
  inputs jsonb not null,
  outputs jsonb not null,
  primary key (stack_id, urn)
);

create table idempotency_keys (
  team text not null,
  key text not null,
  request_digest text not null,
  operation_id uuid not null references operations (id),
  created_at timestamptz not null default now(),
  primary key (team, key)
);
