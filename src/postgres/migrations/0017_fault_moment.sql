-- Whether a fault strikes a call before AWS did anything, or when all is done and only the answer is missing.
alter table sandbox.faults add column moment text not null default 'before' check (moment in ('before', 'after'));
