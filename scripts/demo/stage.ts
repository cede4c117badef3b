import type { Body, Client, Operation } from "../service/client.ts";
import { type PhaseCounts, PhaseProgress } from "./phase-progress.ts";
import type { Printer } from "./printer.ts";
import { ProgressView, whileWaiting } from "./progress-view.ts";

/** What the demo measured; null where it did not get that far. */
export interface Summary {
  /** AWS resources of the pipeline. */
  resources: number | null;
  foundationResources: number | null;
  provisionMs: number | null;
  /** Files of data that passed validation, and files that did not. */
  accepted: number | null;
  quarantined: number | null;
  /** Resources that had drifted. */
  driftFound: number | null;
  driftFixed: number | null;
  updateMs: number | null;
  destroyMs: number | null;
  /** What outlived the teardown: resources, processes, the data folder. */
  leftover: number | null;
}

/** What every part of the demo plays on. */
export interface Stage {
  readonly client: Client;
  readonly printer: Printer;
  readonly summary: Summary;
}

export const team = "research";
export const teamPath = `/v1/teams/${team}`;
export const pipelinePath = `${teamPath}/pipelines/penguins`;

export interface Played {
  readonly operation: Operation;
  /** What was done in each phase. */
  readonly counts: PhaseCounts;
  /** From the request to the end of the operation. */
  readonly ms: number;
}

/** Starts an operation and shows its five phases until it has ended. */
export async function play(
  { client, printer }: Stage,
  method: string,
  path: string,
  options: {
    readonly body?: Body;
    readonly planned?: PhaseCounts;
    /** Which actions bring a phase forward; all unless given. */
    readonly counts?: (action: string) => boolean;
  } = {},
): Promise<Played> {
  const progress = new PhaseProgress(options.planned, options.counts);
  const startedAt = performance.now();
  const view = new ProgressView(printer, progress);
  try {
    const operation = await client.run(method, path, options.body, (event) => {
      progress.add(event);
      view.update();
    });
    return { operation, counts: progress.counts(), ms: performance.now() - startedAt };
  } finally {
    view.end();
  }
}

/** Starts an operation that only looks, and waits for its end without a view. */
export async function look(
  { client, printer }: Stage,
  path: string,
  body?: Body,
): Promise<{ readonly operation: Operation; readonly ms: number }> {
  const startedAt = performance.now();
  const operation = await whileWaiting(
    printer,
    "",
    client.run("POST", path, body, () => {}),
  );
  return { operation, ms: performance.now() - startedAt };
}
