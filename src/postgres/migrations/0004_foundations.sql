-- What each registration asks of the foundation it shares, and what all of them together come to.
alter table accounts add column foundation jsonb not null
  default '{"profile": "learning", "securityServices": false, "existing": {}, "onUnused": "keep"}';

alter table foundations
  add column settings jsonb not null default
    '{"profile": "learning", "securityServices": false, "existing": {}, "onUnused": "keep", "cidr": "10.64.0.0/16"}',
  -- Types that AWS would not list at the last look: what there is of them must be named by whoever registers.
  add column unlisted text[] not null default '{}',
  -- Since when the service leaves it alone: its resources stay, and its state with them, for whoever registers it again.
  add column released_at timestamptz;

-- Singletons of the account that were looked up, and whose they are. What is adopted is used as it is.
create table foundation_singletons (
  stack_id uuid not null references stacks (id),
  singleton text not null,
  ownership text not null check (ownership in ('owned', 'adopted')),
  -- Null while the foundation's own is still to be made.
  aws_id text check (ownership = 'owned' or aws_id is not null),
  since timestamptz not null default now(),
  primary key (stack_id, singleton)
);
