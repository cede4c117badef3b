import { describe, expect, it } from "vitest";
import type { Facts, OperationFact, StateResource } from "../../../scripts/chaos/facts/facts.ts";
import { invariants } from "../../../scripts/chaos/invariants/index.ts";
import { nothingIsLeftOfPipelines } from "../../../scripts/chaos/invariants/inventory.ts";

const stack = "aidlc-pipeline/red.flock-1";
const urn = "urn:pulumi:red.flock-1::aidlc-pipeline::aws:ec2/vpc:Vpc::network";

function resource(change: Partial<StateResource> = {}): StateResource {
  return {
    urn,
    type: "aws:ec2/vpc:Vpc",
    awsId: "vpc-1",
    isLeaving: false,
    inputs: { cidrBlock: "10.0.0.0/16" },
    ...change,
  };
}

function item(awsId = "vpc-1", cidrBlock = "10.0.0.0/16") {
  const inputs = { cidrBlock, __defaults: [] };
  return { type: "aws:ec2/vpc:Vpc", account: "111122223333", awsId, inputs, owner: "red/flock-1" };
}

function operation(change: Partial<OperationFact> = {}): OperationFact {
  return {
    id: "update-1",
    kind: "update",
    state: "succeeded",
    stack,
    wasStarted: true,
    changesStack: true,
    attempt: 1,
    revision: 1,
    errorCode: null,
    errorMessage: null,
    drifted: [],
    events: { count: 3, lowest: 1, highest: 3 },
    ...change,
  };
}

/** One pipeline with one resource, updated once; everything as it should be. */
function facts(change: Partial<Facts> = {}): Facts {
  return {
    inventory: [item()],
    states: [{ stack, resources: [resource()], pending: [] }],
    stackRows: [{ stack, initialized: true, resources: [{ urn, awsId: "vpc-1" }] }],
    operations: [operation()],
    pipelines: [{ pipeline: "red/flock-1", stack, isDeleted: false, appliedRevision: 1 }],
    acknowledged: ["update-1"],
    audit: {
      brokenAt: undefined,
      entries: [
        { action: "pipeline.create", target: "/teams/red/pipelines/flock-1", operation: "update-1" },
        { action: "operation.end", target: "/operations/update-1", operation: null },
      ],
    },
    strayStateFiles: [],
    locks: [],
    temporaryFiles: [],
    strayProcesses: [],
    ownDeaths: [],
    ...change,
  };
}

const inState = (...resources: StateResource[]): Partial<Facts> => ({
  states: [{ stack, resources, pending: [] }],
});

const breaches: readonly {
  readonly title: string;
  readonly breaks: string;
  readonly kind: string;
  readonly change: Partial<Facts>;
}[] = [
  {
    title: "an operation that still runs",
    breaks: "every operation ended",
    kind: "stuck",
    change: { operations: [operation({ state: "running" })] },
  },
  {
    title: "an operation that waits for approval",
    breaks: "every operation ended",
    kind: "stuck",
    change: { operations: [operation({ state: "awaiting_approval" })] },
  },
  {
    title: "an accepted operation that is on no record",
    breaks: "no accepted operation is lost",
    kind: "lost",
    change: { acknowledged: ["update-1", "update-2"] },
  },
  {
    title: "a fourth attempt",
    breaks: "no operation was tried too often",
    kind: "stuck",
    change: { operations: [operation({ attempt: 4, state: "succeeded" })] },
  },
  {
    title: "a stack whose last change needs repair",
    breaks: "no stack waits for a person",
    kind: "stuck",
    change: { operations: [operation({ state: "needs_repair" })] },
  },
  {
    title: "an event that is missing",
    breaks: "events have no gaps",
    kind: "lost",
    change: { operations: [operation({ events: { count: 3, lowest: 1, highest: 4 } })] },
  },
  {
    title: "events that begin late",
    breaks: "events have no gaps",
    kind: "lost",
    change: { operations: [operation({ events: { count: 2, lowest: 2, highest: 3 } })] },
  },
  {
    title: "a resource in no state",
    breaks: "state equals inventory",
    kind: "orphans",
    change: { inventory: [item(), item("vpc-2", "10.1.0.0/16")] },
  },
  {
    title: "a resource that was made twice",
    breaks: "state equals inventory",
    kind: "duplicates",
    change: { inventory: [item(), item("vpc-2")] },
  },
  {
    title: "a resource that only a state has",
    breaks: "state equals inventory",
    kind: "lost",
    change: { inventory: [] },
  },
  {
    title: "a resource that is not as its state says",
    breaks: "state equals inventory",
    kind: "lost",
    change: { inventory: [item("vpc-1", "10.9.0.0/16")] },
  },
  {
    title: "a URN twice in a state",
    breaks: "no resource is twice in a state",
    kind: "duplicates",
    change: inState(resource(), resource({ awsId: "vpc-2" })),
  },
  {
    title: "a resource under two URNs",
    breaks: "no resource is twice in a state",
    kind: "duplicates",
    change: inState(resource(), resource({ urn: `${urn}-2` })),
  },
  {
    title: "a resource that the tables lack",
    breaks: "tables equal state",
    kind: "lost",
    change: { stackRows: [{ stack, initialized: true, resources: [] }] },
  },
  {
    title: "a resource that only the tables have",
    breaks: "tables equal state",
    kind: "orphans",
    change: inState(),
  },
  {
    title: "a stack that only the tables have",
    breaks: "tables equal state",
    kind: "lost",
    change: { states: [] },
  },
  {
    title: "a stack that the tables don't know",
    breaks: "tables equal state",
    kind: "orphans",
    change: { stackRows: [] },
  },
  {
    title: "an update whose revision isn't told as applied",
    breaks: "ends are true",
    kind: "lost",
    change: { pipelines: [{ pipeline: "red/flock-1", stack, isDeleted: false, appliedRevision: null }] },
  },
  {
    title: "a destroyed pipeline that is listed",
    breaks: "ends are true",
    kind: "lost",
    change: { operations: [operation({ kind: "destroy" })] },
  },
  {
    title: "a lock",
    breaks: "no lock is left",
    kind: "leaks",
    change: { locks: ["organization/aidlc-pipeline/red.flock-1/1.json"] },
  },
  {
    title: "a pending create",
    breaks: "nothing is pending in a state",
    kind: "stuck",
    change: { states: [{ stack, resources: [resource()], pending: [`creating ${urn}`] }] },
  },
  {
    title: "a half-written file",
    breaks: "no half-written file is left",
    kind: "leaks",
    change: { strayStateFiles: ["fileblob123"] },
  },
  {
    title: "a node that died by itself",
    breaks: "no node died by itself",
    kind: "stuck",
    change: { ownDeaths: ["worker-1 ended by itself with 1: write EPIPE"] },
  },
  {
    title: "an engine that runs",
    breaks: "no process is left",
    kind: "leaks",
    change: { strayProcesses: [{ pid: 42, what: "pulumi up" }] },
  },
  {
    title: "a runner's folder",
    breaks: "no temporary file is left",
    kind: "leaks",
    change: { temporaryFiles: ["/tmp/worker-1/work/1"] },
  },
  {
    title: "a broken chain",
    breaks: "the audit trail is complete",
    kind: "lost",
    change: { audit: { ...facts().audit, brokenAt: "entry 2: its hash is not that of its columns" } },
  },
  {
    title: "an end that the trail doesn't tell",
    breaks: "the audit trail is complete",
    kind: "lost",
    change: { audit: { brokenAt: undefined, entries: facts().audit.entries.slice(0, 1) } },
  },
  {
    title: "a request that the trail doesn't tell",
    breaks: "the audit trail is complete",
    kind: "lost",
    change: { audit: { brokenAt: undefined, entries: facts().audit.entries.slice(1) } },
  },
  {
    title: "an end that the trail tells twice",
    breaks: "the audit trail is complete",
    kind: "duplicates",
    change: {
      audit: { brokenAt: undefined, entries: [...facts().audit.entries, ...facts().audit.entries.slice(1)] },
    },
  },
];

describe("the invariants of a chaos run", () => {
  it("hold where everything is as it should be", () => {
    for (const [name, check] of Object.entries(invariants)) expect(check(facts()), name).toEqual([]);
  });

  it.each(breaches)("$title breaks “$breaks”", ({ breaks, kind, change }) => {
    expect(invariants[breaks]!(facts(change)).map((violation) => violation.kind)).toEqual([kind]);
  });

  it("each can be broken", () => {
    expect(new Set(breaches.map(({ breaks }) => breaks))).toEqual(new Set(Object.keys(invariants)));
  });

  it("let a replaced resource wait for its deletion", () => {
    const leaving = resource({ awsId: "vpc-0", isLeaving: true, inputs: { cidrBlock: "10.8.0.0/16" } });
    const waiting = facts({
      ...inState(resource(), leaving),
      inventory: [item(), item("vpc-0", "10.9.0.0/16")],
    });
    for (const [name, check] of Object.entries(invariants)) expect(check(waiting), name).toEqual([]);
  });

  it("don't compare what a state has encrypted", () => {
    const secret = {
      "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270",
      ciphertext: "v1:x",
    };
    const withSecret = facts({ ...inState(resource({ inputs: { cidrBlock: secret } })) });
    expect(invariants["state equals inventory"]!(withSecret)).toEqual([]);
  });

  it("find what outlived a deleted pipeline", () => {
    const ofAccount = { ...item("vpc-0"), owner: "red" };
    const left = nothingIsLeftOfPipelines(facts({ inventory: [item(), ofAccount] }));
    expect(left.map(({ text }) => text)).toEqual([
      `${stack} was destroyed and still has a state with 1 resources`,
      "aws:ec2/vpc:Vpc vpc-1 (red/flock-1) outlived its pipeline red/flock-1",
    ]);
  });
});
