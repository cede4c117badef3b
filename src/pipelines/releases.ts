import type { AwsAccount } from "../../programs/inputs.ts";
import { pipelineNames } from "../../programs/names.ts";
import type { Release } from "../../programs/release.ts";
import type { PipelineSpec } from "../../programs/spec.ts";
import { getAccount } from "../accounts/store.ts";
import { digestOf } from "../digest.ts";
import { invalid } from "../http/validation.ts";
import type { Operation } from "../operations/store.ts";
import { toJsonb } from "../postgres/json.ts";
import { inTransaction, type Queryable } from "../postgres/pool.ts";
import { hold, type PipelineRequest, type PipelineServices, submitUpdate } from "./changes.ts";
import { getPipeline } from "./store.ts";

type ServingMode = PipelineSpec["serving"]["mode"];

export interface RecordedRelease {
  /** 1 is the first. */
  readonly number: number;
  /** The serving mode that it was made for. */
  readonly mode: ServingMode;
  readonly release: Release;
  readonly createdAt: Date;
}

/**
 * Records a release and brings the pipeline to its desired revision with it: what needs a living endpoint or image comes up
 * now. The same release again is recorded once. Throws `invalid_request` for one that can't be this pipeline's.
 */
export async function recordRelease(
  { pool, audit }: PipelineServices,
  request: PipelineRequest,
  release: Release,
): Promise<Operation> {
  return inTransaction(pool, async (client) => {
    await hold(client, request);
    const pipeline = await getPipeline(client, request.team, request.name);
    const { aws } = await getAccount(client, pipeline.team, pipeline.account);
    const problems = releaseProblems(release, pipeline.spec, {
      account: aws,
      team: pipeline.team,
      pipeline: pipeline.name,
    });
    if (problems.length > 0) throw invalid("invalid_request", problems);
    const before = await lastRelease(client, pipeline.id);
    await insertRelease(client, pipeline.id, before, pipeline.spec.serving.mode, release);
    const operation = await submitUpdate(client, pipeline, request.by, request.reason);
    await audit.change(client, request.by, {
      action: "release.record",
      team: request.team,
      target: `/teams/${request.team}/pipelines/${request.name}`,
      before: before && { number: before.number, mode: before.mode, release: before.release },
      after: { operation: operation.id, mode: pipeline.spec.serving.mode, release },
    });
    return operation;
  });
}

interface Problem {
  readonly path: string;
  readonly message: string;
}

/** Why a release can't be one of this pipeline. */
export function releaseProblems(
  { modelPackageArn, endpoint }: Release,
  { serving }: PipelineSpec,
  identity: { readonly account: AwsAccount; readonly team: string; readonly pipeline: string },
): Problem[] {
  const { accountId, region } = identity.account;
  const group = pipelineNames(identity).named("models");
  const problems: Problem[] = [];
  if (!modelPackageArn.includes(`:sagemaker:${region}:${accountId}:model-package/${group}/`)) {
    problems.push({
      path: "/modelPackageArn",
      message: `must be a version in the pipeline's group ${group} of account ${accountId} in ${region}`,
    });
  }
  const needsEndpoint = serving.mode === "serverless" || serving.mode === "realtime";
  if (needsEndpoint && endpoint === undefined) {
    problems.push({ path: "/endpoint", message: `is needed for the serving mode ${serving.mode}` });
  }
  if (!needsEndpoint && endpoint !== undefined) {
    problems.push({ path: "/endpoint", message: `has no place in the serving mode ${serving.mode}` });
  }
  return problems;
}

async function insertRelease(
  db: Queryable,
  pipelineId: string,
  last: RecordedRelease | undefined,
  mode: ServingMode,
  release: Release,
): Promise<void> {
  if (last?.mode === mode && digestOf(last.release) === digestOf(release)) return;
  await db.query("insert into releases (pipeline_id, number, mode, release) values ($1, $2, $3, $4)", [
    pipelineId,
    (last?.number ?? 0) + 1,
    mode,
    toJsonb(release),
  ]);
}

/** The release that the pipeline serves; undefined before the first. */
export async function lastRelease(db: Queryable, pipelineId: string): Promise<RecordedRelease | undefined> {
  return (await listReleases(db, pipelineId, undefined, 1))[0];
}

/** Newest first, those before number `before`. */
export async function listReleases(
  db: Queryable,
  pipelineId: string,
  before: number | undefined,
  limit: number,
): Promise<RecordedRelease[]> {
  const found = await db.query<{ number: number; mode: ServingMode; release: Release; created_at: Date }>(
    `select number, mode, release, created_at from releases
     where pipeline_id = $1 and ($2::integer is null or number < $2) order by number desc limit $3`,
    [pipelineId, before ?? null, limit],
  );
  return found.rows.map(({ created_at: createdAt, ...row }) => ({ ...row, createdAt }));
}
