import type { Random } from "./random.ts";

/** What may differ between two specs of the same pipeline; each difference creates, changes, replaces or deletes something. */
export interface SpecVariant {
  readonly logRetentionDays: number;
  readonly quarantinedFraction: number;
  readonly isScheduled: boolean;
  readonly hasNotebook: boolean;
  readonly hasOwnNetwork: boolean;
}

export type Request =
  | { readonly type: "apply"; readonly spec: SpecVariant }
  | { readonly type: "preview"; readonly spec: SpecVariant }
  | { readonly type: "drift" | "reconcile" | "refresh" }
  | { readonly type: "destroy"; readonly data: "retain" | "delete" };

export interface Action {
  readonly request: Request;
  /** Set: asks for the operation's end that long after it was accepted. */
  readonly cancelAfterMs?: number;
  /** The next action doesn't wait for the end of this one. */
  readonly isHasty: boolean;
}

export const victims = ["runner", "engine", "provider", "worker", "machine", "paused", "api"] as const;
/**
 * `engine` is the CLI of an operation; `worker` a service process whose runners live on; `machine` a service process with
 * everything below it; `paused` one that is stopped until others have taken over what it did, and then goes on.
 */
export type Victim = (typeof victims)[number];

export const moments = ["claimed", "started", "checkpoint", "ending"] as const;
/** How far the operation is: taken by a worker; a resource begun and not done; its state being written; engine done, end not recorded. */
export type Moment = (typeof moments)[number];

export interface Kill {
  readonly victim: Victim;
  readonly moment: Moment;
  /** From the moment to the blow. */
  readonly delayMs: number;
}

const hastyChance = 0.12;
const cancelChance = 0.1;
const longestDelayMs: Readonly<Record<Moment, number>> = {
  claimed: 1_500,
  started: 500,
  checkpoint: 15,
  ending: 600,
};

export function drawSpec(random: Random): SpecVariant {
  return {
    logRetentionDays: random.pick([30, 60, 90]),
    quarantinedFraction: random.pick([0.05, 0.1, 0.2]),
    isScheduled: random.chance(0.5),
    hasNotebook: random.chance(0.4),
    hasOwnNetwork: random.chance(0.4),
  };
}

/** The next thing that somebody asks of a pipeline. */
export function drawAction(random: Random, pipelineExists: boolean): Action {
  const request = drawRequest(random, pipelineExists);
  const isHasty = random.chance(hastyChance);
  return random.chance(cancelChance)
    ? { request, isHasty, cancelAfterMs: random.integer(0, 4_000) }
    : { request, isHasty };
}

function drawRequest(random: Random, pipelineExists: boolean): Request {
  const spec = drawSpec(random);
  if (!pipelineExists) return { type: random.chance(0.1) ? "preview" : "apply", spec };
  const type = random.weighted({ apply: 46, drift: 16, destroy: 14, preview: 8, reconcile: 9, refresh: 7 });
  if (type === "apply" || type === "preview") return { type, spec };
  if (type === "destroy") return { type, data: random.pick(["retain", "delete", "delete"]) };
  return { type };
}

/** Each kind of victim comes at least once in any run that has room for all. */
export function drawKills(random: Random, count: number): readonly Kill[] {
  const kills: Kill[] = victims.slice(0, count).map((victim) => drawKill(random, victim));
  const weights = { runner: 28, engine: 28, provider: 7, worker: 16, machine: 9, paused: 5, api: 7 } as const;
  while (kills.length < count) kills.push(drawKill(random, random.weighted(weights)));
  return shuffled(random, kills);
}

function drawKill(random: Random, victim: Victim): Kill {
  const moment = drawMoment(random, victim);
  return { victim, moment, delayMs: random.integer(0, longestDelayMs[moment]) };
}

function drawMoment(random: Random, victim: Victim): Moment {
  switch (victim) {
    case "runner":
    case "engine":
      return random.weighted({ started: 45, checkpoint: 35, ending: 20 });
    case "worker":
    case "machine":
      return random.weighted({ claimed: 25, started: 35, checkpoint: 20, ending: 20 });
    case "provider":
      return "started";
    case "paused":
      return random.pick(["claimed", "started", "ending"]);
    case "api":
      return random.pick(moments);
  }
}

function shuffled<Item>(random: Random, items: readonly Item[]): Item[] {
  const rest = [...items];
  const order: Item[] = [];
  while (rest.length > 0) order.push(...rest.splice(random.integer(0, rest.length - 1), 1));
  return order;
}
