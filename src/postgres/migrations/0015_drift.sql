-- Where what exists differs from what was applied: one row for each property, or with an empty path for a resource that is gone.
create table drifts (
  id uuid primary key default gen_random_uuid(),
  pipeline_id uuid not null references pipelines (id),
  urn text not null,
  path text not null,
  type text not null,
  name text not null,
  phase text,
  aws_id text,
  before jsonb,
  after jsonb,
  class text not null check (class in ('data', 'security', 'ml_promotion', 'cost', 'unknown', 'benign')),
  severity text not null check (severity in ('low', 'medium', 'high', 'critical')),
  reason text not null,
  data_loss boolean not null default false,
  state text not null default 'open'
    check (state in ('open', 'ignored', 'accepted', 'adopted', 'reverted', 'resolved')),
  -- When an ignored or accepted drift is open again by itself.
  held_until timestamptz check ((held_until is not null) = (state in ('ignored', 'accepted'))),
  rule text,
  -- The stack's state holds what was found, because the rest of the resource was mended: checks can't see it.
  carried boolean not null default false,
  decided_by text,
  decided_at timestamptz,
  decision_reason text,
  -- What a decision asked for; until it has ended, checks still see what it is about to mend.
  decision_operation_id uuid references operations (id),
  -- Who changed it, as far as that could be found out, and when that was looked up last.
  changed_by jsonb,
  looked_up_at timestamptz,
  first_seen_at timestamptz not null,
  last_seen_at timestamptz not null,
  last_operation_id uuid not null references operations (id),
  unique (pipeline_id, urn, path)
);
create index drifts_live on drifts (pipeline_id) where state in ('open', 'ignored', 'accepted', 'adopted');

-- What drift checks tell nobody about, until a date.
create table drift_rules (
  pipeline_id uuid not null references pipelines (id),
  id text not null,
  resource text not null,
  path text not null,
  reason text not null,
  owner text not null,
  expires_at timestamptz not null,
  created_by text not null,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (pipeline_id, id)
);

-- When each pipeline is checked next, by the reconcile section of one of its revisions.
create table drift_schedules (
  pipeline_id uuid primary key references pipelines (id),
  revision integer not null,
  mode text not null check (mode in ('off', 'detect', 'remediate')),
  expression text not null,
  due_at timestamptz,
  check ((due_at is null) = (mode = 'off'))
);
create index drift_schedules_due on drift_schedules (due_at) where due_at is not null;
