-- SageMaker's processing jobs in the sandbox: each is in progress until it is stopped.
create table sandbox.processing_jobs (
  arn text primary key,
  number bigint generated always as identity unique,
  account text not null,
  region text not null,
  name text not null,
  status text not null,
  -- As it was asked for: image, role, network.
  details jsonb not null,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  -- SageMaker gives a name once for ever.
  unique (account, region, name)
);
