-- Model versions that were released, newest last: what a pipeline's program may count on.
create table releases (
  pipeline_id uuid not null references pipelines (id),
  number integer not null,
  -- The serving mode that it was made for.
  mode text not null,
  release jsonb not null,
  created_at timestamptz not null default now(),
  primary key (pipeline_id, number)
);
create trigger releases_are_immutable before update or delete on releases
  for each row execute function refuse_change();
create trigger releases_are_kept before truncate on releases
  for each statement execute function refuse_change();
