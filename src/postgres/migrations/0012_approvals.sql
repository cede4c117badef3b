-- What an operation waits for, or has waited for: the digest of its plan, the reasons, how many people's approval it takes, from
-- which roles, until when, and how many have given it. Null: its plan was applied in the run that made it.
alter table operations add column approval jsonb;
create index operations_awaiting_approval on operations (created_at) where state = 'awaiting_approval';

create table approvals (
  operation_id uuid not null references operations (id),
  -- Of the plan that was voted on: another plan takes other votes.
  digest text not null,
  subject text not null,
  -- Whose subject it is, as in grants: who has the same name with another issuer has not voted.
  issuer text check ((issuer is null) = (subject like 'key:%')),
  label text not null,
  verdict text not null check (verdict in ('approve', 'reject')),
  comment text,
  at timestamptz not null default clock_timestamp(),
  primary key (operation_id, digest, subject)
);

-- What all pipelines of a team may cost a month by their specs before somebody has to approve of more. Null: as much as they like.
alter table team_quotas add column monthly_usd double precision check (monthly_usd >= 0);
