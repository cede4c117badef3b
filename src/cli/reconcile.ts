import type { Writable } from "node:stream";
import type { Static } from "typebox";
import type { OperationView } from "../operations/schema.ts";
import type { Client } from "./client.ts";
import { RequestFailed } from "./client.ts";

type OperationAnswer = Static<typeof OperationView>;

/** Which pipelines, what is done with them, and for how long at most. */
export interface ReconcileRequest {
  readonly scope: { readonly all: true } | { readonly team: string; readonly pipeline?: string };
  readonly mode: "detect" | "remediate";
  readonly timeoutMs: number;
  readonly json: boolean;
}

/** What became of one pipeline. */
interface Result {
  readonly team: string;
  readonly pipeline: string;
  readonly state: "clean" | "drifted" | "awaiting_approval" | "failed" | "timed_out" | "skipped";
  readonly operation?: string;
  /** Open drifts by class. */
  readonly drifts?: Readonly<Record<string, number>>;
  readonly reason?: string;
}

/** What the command ends with. A job that fails on drift alone may treat 2 as it likes; 3 is never to be passed over. */
export const reconcileExit = { clean: 0, drifted: 2, failed: 3 } as const;

interface Target {
  readonly team: string;
  readonly pipeline: string;
}

/**
 * Has pipelines checked or reconciled, waits for the ends, and writes a line for each, then a summary. Returns the exit code. A pipeline
 * that can't be asked for or that fails is told and doesn't keep the others from being done.
 */
export async function reconcile(client: Client, out: Writable, request: ReconcileRequest): Promise<number> {
  const deadline = Date.now() + request.timeoutMs;
  const results: Result[] = [];
  const write = (result: Result) => {
    results.push(result);
    out.write(`${request.json ? JSON.stringify(result) : inWords(result)}\n`);
  };
  const targets = await targetsOf(client, request.scope);
  // So many at once that the service is never without work, and so few that all others get answers.
  const queue = targets.values();
  const work = async () => {
    for (const target of queue) write(await reconcileOne(client, target, request.mode, deadline));
  };
  await Promise.all(Array.from({ length: mostAtOnce }, work));
  const summary = summaryOf(results);
  out.write(`${request.json ? JSON.stringify(summary) : summaryInWords(summary)}\n`);
  return summary.exitCode;
}

const mostAtOnce = 16;
const longestWaitSeconds = 30;

async function targetsOf(client: Client, scope: ReconcileRequest["scope"]): Promise<Target[]> {
  if ("team" in scope && scope.pipeline !== undefined)
    return [{ team: scope.team, pipeline: scope.pipeline }];
  const teams =
    "team" in scope
      ? [scope.team]
      : (await all<{ name: string }>(client, "/v1/teams")).map(({ name }) => name);
  const targets: Target[] = [];
  for (const team of teams) {
    const pipelines = await all<{ name: string }>(client, `/v1/teams/${team}/pipelines`);
    targets.push(...pipelines.map(({ name }) => ({ team, pipeline: name })));
  }
  return targets;
}

/** Every item of a list, page by page. */
async function all<Item>(client: Client, path: string): Promise<Item[]> {
  const items: Item[] = [];
  let cursor: string | undefined;
  do {
    const query: Record<string, string> = { limit: "200", ...(cursor === undefined ? {} : { cursor }) };
    const page = await client.get<{ items: Item[]; nextCursor?: string }>(path, query);
    items.push(...page.items);
    cursor = page.nextCursor;
  } while (cursor !== undefined);
  return items;
}

async function reconcileOne(
  client: Client,
  target: Target,
  mode: ReconcileRequest["mode"],
  deadline: number,
): Promise<Result> {
  const path = `/v1/teams/${target.team}/pipelines/${target.pipeline}`;
  if (Date.now() >= deadline)
    return { ...target, state: "timed_out", reason: "The time was up before it began" };
  try {
    const submitted = await client.post<OperationAnswer>(
      `${path}/${mode === "detect" ? "drift-checks" : "reconciliations"}`,
    );
    const ended = await endOf(client, submitted, deadline);
    const operation = ended.id;
    if (ended.state === "awaiting_approval") return { ...target, state: "awaiting_approval", operation };
    if (ended.finishedAt === undefined)
      return { ...target, state: "timed_out", operation, reason: "It goes on without the command" };
    if (ended.state !== "succeeded")
      return { ...target, state: "failed", operation, reason: ended.error?.message ?? ended.state };
    const drifts = await openDrifts(client, path);
    return { ...target, state: Object.keys(drifts).length > 0 ? "drifted" : "clean", operation, drifts };
  } catch (error) {
    if (!(error instanceof RequestFailed)) throw error;
    // Nothing of it was ever applied: there is nothing that could have drifted.
    const state = error.code === "pipeline_conflict" ? "skipped" : "failed";
    return { ...target, state, reason: error.message };
  }
}

/** The operation when it has ended, waits for approval, or the time is up. */
async function endOf(client: Client, submitted: OperationAnswer, deadline: number): Promise<OperationAnswer> {
  let operation = submitted;
  while (
    operation.finishedAt === undefined &&
    operation.state !== "awaiting_approval" &&
    Date.now() < deadline
  ) {
    const seconds = Math.min(longestWaitSeconds, Math.ceil((deadline - Date.now()) / 1_000));
    operation = await client.get<OperationAnswer>(
      `/v1/operations/${operation.id}`,
      {},
      { prefer: `wait=${seconds}` },
    );
  }
  return operation;
}

/** What of the open drifts means something; none where no check has ever looked. */
async function openDrifts(client: Client, path: string): Promise<Record<string, number>> {
  const { open } = await client
    .get<{ open: Record<string, number> }>(`${path}/drift`, { state: "open" })
    .catch((error: unknown) => {
      if (error instanceof RequestFailed && error.code === "not_found") return { open: {} };
      throw error;
    });
  return Object.fromEntries(Object.entries(open).filter(([name]) => name !== "benign"));
}

interface Summary {
  readonly summary: true;
  readonly pipelines: number;
  readonly clean: number;
  readonly drifted: number;
  readonly awaitingApproval: number;
  readonly failed: number;
  readonly timedOut: number;
  readonly skipped: number;
  readonly exitCode: number;
}

function summaryOf(results: readonly Result[]): Summary {
  const count = (state: Result["state"]) => results.filter((result) => result.state === state).length;
  const [drifted, awaitingApproval, failed, timedOut] = (
    ["drifted", "awaiting_approval", "failed", "timed_out"] as const
  ).map(count) as [number, number, number, number];
  const exitCode =
    failed + timedOut > 0
      ? reconcileExit.failed
      : drifted + awaitingApproval > 0
        ? reconcileExit.drifted
        : reconcileExit.clean;
  return {
    summary: true,
    pipelines: results.length,
    clean: count("clean"),
    drifted,
    awaitingApproval,
    failed,
    timedOut,
    skipped: count("skipped"),
    exitCode,
  };
}

function inWords({ team, pipeline, state, drifts = {}, reason }: Result): string {
  const found = Object.entries(drifts).map(([name, number]) => `${name} ${number}`);
  return [`${team}/${pipeline}`.padEnd(40), state.replace("_", " ").padEnd(18), reason ?? found.join(", ")]
    .join(" ")
    .trimEnd();
}

function summaryInWords({
  pipelines,
  clean,
  drifted,
  awaitingApproval,
  failed,
  timedOut,
  skipped,
}: Summary): string {
  return `${pipelines} pipelines: ${clean} clean, ${drifted} drifted, ${awaitingApproval} await approval, ${failed} failed, ${timedOut} timed out, ${skipped} skipped`;
}
