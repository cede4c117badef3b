-- What works on this database: a row per node, which says that it lives by renewing `seen_at`.
create table nodes (
  id text primary key,
  -- The boot of the machine and the namespace of its processes: two nodes of one host see each other's processes and files.
  host text not null,
  hostname text not null,
  role text not null check (role in ('all', 'api', 'worker')),
  -- What the states' address is, so that nobody works on states of its own: null on a node that works on none.
  backend text,
  -- Whether the address is a folder, which only nodes of one host share for certain.
  local_backend boolean not null default false,
  pid integer not null,
  version text not null,
  -- Places for operations; none on a node that only answers requests.
  changes integer not null default 0,
  checks integer not null default 0,
  started_at timestamptz not null default clock_timestamp(),
  seen_at timestamptz not null default clock_timestamp()
);

-- The operations table is the queue. What changes a stack waits for its turn on that stack; what only reads never does, and has
-- places of its own.
alter table operations
  add column lane text not null generated always as (case when kind in ('preview', 'drift') then 'checks' else 'changes' end) stored,
  -- Whose account of AWS it works in, as it was when it was asked for: null where an older version recorded it.
  add column aws_account_id text;

create index operations_waiting on operations (lane, stack_id, created_at, id) where state = 'queued';
create index operations_running on operations (lane) where state = 'running';
-- Whatever goes wrong elsewhere: two changes of a stack never run at the same time.
create unique index operations_one_change_per_stack on operations (stack_id) where state = 'running' and lane = 'changes';

-- When a team last had its turn in a lane.
create table queue_turns (
  lane text not null,
  team text not null,
  served_at timestamptz not null,
  primary key (lane, team)
);

-- How many operations of one lane run at once, on all nodes together: for one team, and in one account of AWS.
alter table quota_defaults
  add column operations_at_once integer not null default 10 check (operations_at_once > 0),
  add column account_operations_at_once integer not null default 10 check (account_operations_at_once > 0);
alter table team_quotas add column operations_at_once integer check (operations_at_once > 0);

-- By what nodes prove to each other that they have the same secret, without telling it: scrypt(secret, salt).
create table node_secret (
  single boolean primary key default true check (single),
  salt bytea not null,
  proof bytea not null
);
