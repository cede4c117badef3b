import { setTimeout as sleep } from "node:timers/promises";
import type pg from "pg";
import { readOperations } from "./facts/database-facts.ts";
import { lastChanges } from "./invariants/operations.ts";
import type { Stage } from "./stage.ts";

const lookMs = 300;
// Longer than anything goes on in silence: a lease that lapses on another host, what recovery does then, the slowest call of AWS.
const silenceMs = 180_000;
const repairRounds = 2;

/** Resolves when an operation has ended, when nothing has moved for three minutes, or when the signal aborts. */
export async function operationEnded(pool: pg.Pool, id: string, signal: AbortSignal): Promise<void> {
  await movingUntil(pool, "id = $1 and finished_at is not null", [id], signal);
}

/**
 * Waits until no operation waits or runs, and asks for the repair of whatever says that it needs one, as its remedy tells people to.
 * What stands still before it has ended stays as it is, for the invariants to find.
 */
export async function becomeQuiet(stage: Stage): Promise<void> {
  await allEnded(stage);
  for (let round = 0; round < repairRounds; round += 1) {
    const broken = lastChanges(await readOperations(stage.pool)).filter(
      ({ state }) => state === "needs_repair",
    );
    if (broken.length === 0) return;
    for (const { stack, id } of broken) {
      stage.print(`asking for the repair that operation ${id} needs`);
      const answer = await stage.requests.send("POST", repairsPath(stage, stack));
      if (answer.status === 202) stage.crowd.acknowledged.add((answer.body as { id: string }).id);
      else stage.print(`refused with ${answer.status}: ${JSON.stringify(answer.body)}`);
    }
    await allEnded(stage);
  }
}

async function allEnded({ pool, signal }: Stage): Promise<void> {
  const none =
    "not exists (select from operations where state in ('queued', 'running', 'awaiting_approval'))";
  await movingUntil(pool, none, [], signal);
  signal.throwIfAborted();
}

/** Waits for a condition on some operation as long as any operation moves: a slow machine is no defect. */
async function movingUntil(
  pool: pg.Pool,
  condition: string,
  values: readonly unknown[],
  signal: AbortSignal,
): Promise<void> {
  let seen = "";
  let movedAt = performance.now();
  while (!signal.aborted && performance.now() - movedAt < silenceMs) {
    // The database may be away for a moment; what it would have said is asked again.
    const look = await pool
      .query<{ is_so: boolean; moved: string }>(
        `select exists (select from operations where ${condition}) as is_so,
           (select concat_ws(' ', count(*), max(at)) from operation_events) || (select concat_ws(' ', count(finished_at), max(fencing_token))
            from operations) as moved`,
        [...values],
      )
      .catch(() => undefined);
    if (look?.rows[0]?.is_so) return;
    const moved = look?.rows[0]?.moved ?? seen;
    if (moved !== seen) movedAt = performance.now();
    seen = moved;
    await sleep(lookMs, undefined, { signal }).catch(() => {});
  }
}

function repairsPath({ tenants }: Stage, stack: string): string {
  const tenant = tenants.find(({ team, pipeline }) => stack === `aidlc-pipeline/${team}.${pipeline}`);
  if (tenant === undefined)
    throw new Error(`Nobody's pipeline is the stack ${stack}: its repair can't be asked for`);
  return `${tenant.path}/repairs`;
}
