-- What a team may have unless an administrator said otherwise: the configuration of the node that started last, so that all nodes
-- keep to the same.
create table quota_defaults (
  single boolean primary key default true check (single),
  pipelines integer not null default 50 check (pipelines >= 0),
  operations_per_day integer not null default 1000 check (operations_per_day >= 0),
  resources integer not null default 20000 check (resources >= 0)
);
insert into quota_defaults default values;

-- A team's own limits; null: the default. Whoever counts what a team has locks its row, so that two requests can't both be the last.
create table team_quotas (
  team text primary key references teams (name),
  pipelines integer check (pipelines >= 0),
  operations_per_day integer check (operations_per_day >= 0),
  resources integer check (resources >= 0)
);
