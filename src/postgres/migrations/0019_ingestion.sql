-- Files that were given to pipelines of the sandbox, and what their validation came to.
create table ingestions (
  id uuid primary key,
  number integer generated always as identity unique,
  pipeline_id uuid not null references pipelines (id),
  -- As whoever gave it named it.
  name text not null,
  state text not null default 'received' check (state in ('received', 'accepted', 'quarantined', 'failed')),
  bytes bigint not null,
  -- What the validation said, or why there was none.
  verdict jsonb,
  failure text,
  received_at timestamptz not null default now(),
  validated_at timestamptz
);
create index ingestions_by_pipeline on ingestions (pipeline_id, number desc);

-- How the values of all accepted files of a pipeline are distributed: what drift is measured against.
create table ingestion_baselines (
  pipeline_id uuid primary key references pipelines (id),
  version integer not null,
  -- Of the declared columns: others begin anew.
  schema_digest text not null,
  profile jsonb not null
);
