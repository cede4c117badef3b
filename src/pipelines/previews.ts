import type pg from "pg";
import type { PipelineSpec } from "../../programs/spec.ts";
import { digestOf } from "../digest.ts";
import type { Operation } from "../operations/store.ts";
import { submitOperation } from "../operations/submit.ts";
import { inTransaction } from "../postgres/pool.ts";
import { ensureStack } from "../stacks/store.ts";
import { holdTeam } from "../teams/store.ts";
import {
  auditedPipeline,
  checkChange,
  type PipelineRequest,
  type PipelineServices,
  standOf,
} from "./changes.ts";
import { specOfRevision } from "./revision-spec.ts";
import { findPipeline, getPipeline, type Pipeline, pipelineProject } from "./store.ts";
import { usableAccount } from "./usable-account.ts";

/** Previews a spec, of a pipeline that needn't exist yet, or a recorded revision by its number; without either, the desired one. */
export async function previewSpec(
  { pool, audit }: PipelineServices,
  request: PipelineRequest,
  given: PipelineSpec | number | undefined,
): Promise<Operation> {
  const { team, name, by } = request;
  return inTransaction(pool, async (client) => {
    await holdTeam(client, team);
    const { existing, revision, spec } = await toPreview(client, request, given);
    checkChange(existing, spec);
    await usableAccount(client, team, spec);
    const operation = await submitOperation(client, {
      kind: "preview",
      stackId: existing?.stackId ?? (await ensureStack(client, pipelineProject, `${team}.${name}`)),
      team,
      subject: { type: "pipeline", pipeline: name, pipelineId: existing?.id ?? null },
      revision,
      options: { spec },
      requestId: by.requestId,
      requestedBy: by.subject,
    });
    await audit.change(client, by, {
      ...auditedPipeline(request, "preview"),
      before: existing && standOf(existing),
      after: { operation: operation.id, specDigest: digestOf(spec) },
    });
    return operation;
  });
}

async function toPreview(
  client: pg.PoolClient,
  { team, name }: PipelineRequest,
  given: PipelineSpec | number | undefined,
): Promise<{ existing: Pipeline | undefined; revision: number | null; spec: PipelineSpec }> {
  if (typeof given === "object")
    return { existing: await findPipeline(client, team, name), revision: null, spec: given };
  const existing = await getPipeline(client, team, name);
  const { desiredRevision, spec } = existing;
  if (given === undefined) return { existing, revision: desiredRevision, spec };
  return { existing, revision: given, spec: await specOfRevision(client, existing, given) };
}
