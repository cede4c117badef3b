-- Lets one pipeline break one policy until a date. What an operation used of it stays in that operation's findings.
create table policy_exceptions (
  pipeline_id uuid not null references pipelines (id),
  policy text not null,
  -- The resource's name in the program; null: every resource.
  resource text,
  reason text not null,
  approved_by text not null,
  expires_at timestamptz not null,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (pipeline_id, policy)
);
