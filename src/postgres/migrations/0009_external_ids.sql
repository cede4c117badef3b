-- What a team's roles ask of whoever assumes them. Chosen here and not by a caller, or one team could have the service use a role
-- that trusts it for another. The column of that name in accounts is no longer read.
alter table teams add column external_id text not null unique default 'aidlc-' || replace(gen_random_uuid()::text, '-', '');
