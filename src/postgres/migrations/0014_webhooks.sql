-- What became of requests that came with an Idempotency-Key. The table idempotency_keys is no longer read.
create table idempotent_requests (
  subject text not null,
  -- Empty for what is no team's.
  team text not null,
  -- Digests: what callers make their keys of, and what they sent, is theirs to keep.
  key_digest text not null,
  request_digest text not null,
  -- The request that works on it.
  request_id text not null,
  claimed_at timestamptz not null default clock_timestamp(),
  -- Set in the transaction of the change: from then on it is never done again.
  changed_at timestamptz,
  target text,
  operation_id uuid,
  -- The answer. Without a body where there was none, or where it held a secret that is shown once.
  status integer,
  headers jsonb,
  body text,
  holds_secret boolean not null default false,
  primary key (subject, team, key_digest)
);
create index idempotent_requests_by_age on idempotent_requests (claimed_at);

-- Where a team wants to be told. The secret is nowhere: it is derived from the service's passphrase, the id and the number.
create table webhooks (
  id uuid primary key default gen_random_uuid(),
  team text not null references teams (name),
  url text not null,
  description text not null,
  -- Types of events, `operation.*` for all of a kind, `*` for all.
  events text[] not null check (cardinality(events) > 0),
  version integer not null default 1,
  secret_number integer not null default 1,
  -- Until when what is sent is signed with the secret before, too.
  previous_secret_until timestamptz,
  disabled_at timestamptz,
  disabled_reason text,
  -- Since when nothing was taken; null after each success.
  failing_since timestamptz,
  created_by text not null,
  created_at timestamptz not null default clock_timestamp(),
  updated_at timestamptz not null default clock_timestamp()
);
create index webhooks_newest on webhooks (team, created_at desc, id desc);

-- Whatever a team may want to be told of: insert here, in the transaction in which it happens.
create table webhook_outbox (
  id uuid primary key default gen_random_uuid(),
  team text not null,
  -- What it is about, such as `pipelines/churn`: events about the same thing are sent in order.
  about text not null,
  type text not null,
  at timestamptz not null default clock_timestamp(),
  data jsonb not null,
  -- Set for what is for one webhook only.
  webhook_id uuid references webhooks (id) on delete cascade
);
create index webhook_outbox_by_age on webhook_outbox (at);
create index webhook_outbox_by_webhook on webhook_outbox (webhook_id) where webhook_id is not null;

create table webhook_deliveries (
  id uuid primary key default gen_random_uuid(),
  position bigint not null generated always as identity,
  webhook_id uuid not null references webhooks (id) on delete cascade,
  event_id uuid not null references webhook_outbox (id) on delete cascade,
  about text not null,
  state text not null default 'pending' check (state in ('pending', 'delivered', 'dead')),
  attempts integer not null default 0,
  next_attempt_at timestamptz not null default clock_timestamp(),
  -- An attempt that would come later is not made.
  give_up_at timestamptz not null default clock_timestamp() + interval '72 hours',
  -- Until when somebody is sending it.
  leased_until timestamptz,
  last_attempt_at timestamptz,
  last_status integer,
  last_error text,
  created_at timestamptz not null default clock_timestamp(),
  ended_at timestamptz
);
create index webhook_deliveries_in_order on webhook_deliveries (webhook_id, about, position) where state = 'pending';
create index webhook_deliveries_due on webhook_deliveries (next_attempt_at) where state = 'pending';
create index webhook_deliveries_newest on webhook_deliveries (webhook_id, position desc);
create index webhook_deliveries_by_event on webhook_deliveries (event_id);

create function deliver_to_webhooks() returns trigger language plpgsql as $$
begin
  insert into webhook_deliveries (webhook_id, event_id, about)
  select w.id, new.id, new.about from webhooks w
  where w.team = new.team and w.disabled_at is null
    and case when new.webhook_id is null
      then w.events && array['*', new.type, split_part(new.type, '.', 1) || '.*']
      else w.id = new.webhook_id end
  -- One that is being deleted is passed over: what happens must not fail for it.
  for key share;
  return null;
end $$;
create trigger webhook_outbox_is_delivered after insert on webhook_outbox
  for each row execute function deliver_to_webhooks();

create function iso_moment(moment timestamptz) returns text language sql stable as
  $$ select to_char(moment at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') $$;

-- In the database, so that no way of changing an operation can forget it. The view is the API's, without its longest parts.
create function tell_of_operation() returns trigger language plpgsql as $$
declare
  subject text := case when new.pipeline is null then 'accounts/' || new.account else 'pipelines/' || new.pipeline end;
  view jsonb;
begin
  if not exists (select from webhooks where team = new.team and disabled_at is null) then return null; end if;
  view := jsonb_strip_nulls(jsonb_build_object(
    'id', new.id, 'kind', new.kind, 'state', new.state, 'team', new.team, 'account', new.account,
    'pipeline', new.pipeline, 'revision', new.revision, 'requestedBy', new.requested_by,
    'createdAt', iso_moment(new.created_at), 'startedAt', iso_moment(new.started_at),
    'finishedAt', iso_moment(new.finished_at), 'cancelRequestedAt', iso_moment(new.cancel_requested_at),
    'result', case when jsonb_typeof(new.result) = 'object' then new.result - 'steps' - 'findings' end,
    'error', new.error));
  insert into webhook_outbox (team, about, type, data) values (new.team, subject, 'operation.' || new.state, view);
  if new.state = 'awaiting_approval' then
    insert into webhook_outbox (team, about, type, data) values (new.team, subject, 'approval.requested', view);
  end if;
  return null;
end $$;
create trigger operations_are_told after insert on operations
  for each row execute function tell_of_operation();
create trigger changes_of_operations_are_told after update of state on operations
  for each row when (old.state is distinct from new.state) execute function tell_of_operation();
