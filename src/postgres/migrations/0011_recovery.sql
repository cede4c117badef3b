-- The constraint has the name that PostgreSQL gave it.
alter table operations drop constraint operations_kind_check;
alter table operations add constraint operations_kind_check
  check (kind in ('preview', 'update', 'destroy', 'refresh', 'drift', 'reconcile', 'rollback', 'repair'));

alter table operations
  -- The boot of the machine and the namespace of processes in which its runner is: only there can these be proved dead by looking.
  add column host text,
  -- How many times it was begun.
  add column attempt integer not null default 1,
  -- How it ends, once its stack is repaired: it isn't run again.
  add column verdict jsonb;

-- Whether an engine may have left a lock, or something on AWS that the state doesn't know: true while one works.
alter table stacks add column unsettled boolean not null default false;

update stacks set unsettled = true where id in (
  select stack_id from (
    select distinct on (stack_id) stack_id, state from operations
    where kind in ('update', 'destroy', 'refresh', 'reconcile', 'rollback') and state not in ('queued', 'superseded')
    order by stack_id, created_at desc) newest
  where state in ('needs_repair', 'running'));
