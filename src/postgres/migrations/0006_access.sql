-- API keys. The secret of one is nowhere but with its owner: `digest` is the SHA-256 of the whole key.
create table api_keys (
  id uuid primary key,
  -- What a key is found by; not secret.
  prefix text not null unique,
  digest bytea not null check (length(digest) = 32),
  name text not null,
  -- Null: a key of the platform.
  team text references teams (name),
  -- The subject that made it.
  created_by text not null,
  created_at timestamptz not null default now(),
  expires_at timestamptz not null,
  revoked_at timestamptz,
  last_used_at timestamptz
);
create index api_keys_newest on api_keys (team, created_at desc, id desc);

-- Who may do what. A subject is `user:` and what the issuer calls them, or `key:` and the key's id.
create table grants (
  subject text not null check (subject ~ '^(user|key):.'),
  -- Another issuer may call somebody else by the same name. Null for keys, which are our own.
  issuer text check ((issuer is null) = (subject like 'key:%')),
  -- Null: roles for the whole platform.
  team text references teams (name),
  roles text[] not null check (cardinality(roles) > 0),
  granted_by text not null,
  granted_at timestamptz not null default now(),
  unique nulls not distinct (subject, issuer, team)
);
create index grants_by_team on grants (team, subject);

-- At most one row: how the first administrator's key was had. What is in it can be had no second time.
create table bootstrap (
  done boolean primary key default true check (done),
  exchanged_by text not null,
  exchanged_at timestamptz not null default now(),
  key_id uuid not null references api_keys (id)
);
