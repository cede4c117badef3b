-- What lists and status ask for of many pipelines: without these it takes the longer the more checks there were.

-- The last change of a pipeline, out of the index alone; its conditions are those of `summarySource`.
create index operations_changes_by_pipeline on operations (pipeline_id, created_at desc) include (id, kind, state)
  where lane = 'changes' and not (state in ('superseded', 'cancelled') and started_at is null);
create index operations_drift_by_pipeline on operations (pipeline_id, created_at desc)
  where kind = 'drift' and state = 'succeeded';
-- Operations of one pipeline, by the names that a filter has.
create index operations_by_pipeline_name on operations (team, pipeline, created_at desc, id desc)
  where pipeline is not null;
-- Most operations are drift checks that succeeded: what is looked for among them.
create index operations_unusual_state on operations (state, created_at desc, id desc) where state <> 'succeeded';
create index operations_unusual_kind on operations (kind, created_at desc, id desc) where kind <> 'drift';

create index operation_events_failed on operation_events (operation_id)
  where type = 'resource' and phase is not null and body->>'status' = 'failed';
create index resources_by_phase on resources (stack_id, phase) where phase is not null and type like 'aws:%';
