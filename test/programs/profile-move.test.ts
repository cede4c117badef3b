import { isDeepStrictEqual } from "node:util";
import { describe, expect, it } from "vitest";
import { pipelineProgram } from "../../programs/pipeline.ts";
import type { PipelineSpec } from "../../programs/spec.ts";
import { Schema } from "../../src/sandbox/schema.ts";
import { anInput, aSpec, PRODUCTION_FOUNDATION } from "./support/inputs.ts";
import { awsResources, type Registered, type Run, runProgram } from "./support/run-program.ts";

const schema = new Schema();

/** Modes that both profiles have. */
const SPECS: Readonly<Record<string, Parameters<typeof aSpec>[0]>> = {
  "a serverless endpoint": {},
  "a real-time endpoint, a dedicated network and distributed training": {
    serving: { mode: "realtime" },
    network: { dedicated: true },
    training: { instanceCount: 2, schedule: "rate(7 days)" },
  },
  "a function, a notebook and a feature group": {
    serving: { mode: "lambda" },
    notebook: {},
    dataset: {
      schema: [
        { name: "id", type: "string", nullable: false },
        { name: "at", type: "timestamp", nullable: false },
      ],
      featureStore: { recordIdentifier: "id", eventTime: "at" },
    },
  },
};

/** What holds data, what opens it, and what can't be had again as it was. */
const HOLDS_DATA =
  /^aws:(s3\/bucket:|kms\/key:|ecr\/repository:|backup\/vault:|sagemaker\/(modelPackageGroup|featureGroup):|secretsmanager\/secret:)/;

/** Opens the firewall's log at the edge and nothing else; both are production's only, and go together. */
const EDGE_LOGS_KEY = "edge-logs-key";

const identity = ({ typeChain, name }: Registered) => `${typeChain.join("$")}::${name}`;

/** Inputs of the resource that AWS, or its provider, can only change by a new resource. */
const replacing = (before: Registered, after: Registered): string[] =>
  (schema.resource(before.type)?.facts.replaceOnChange ?? [])
    .map((path) => path.split(".")[0] ?? path)
    .filter((input) => !isDeepStrictEqual(before.inputs[input], after.inputs[input]));

function move(from: Run, to: Run) {
  const there = new Map(awsResources(to).map((each) => [identity(each), each]));
  const pairs = awsResources(from).map((before) => ({ before, after: there.get(identity(before)) }));
  return {
    gone: pairs.filter(({ after }) => after === undefined).map(({ before }) => before),
    replaced: pairs.flatMap(({ before, after }) =>
      after === undefined ? [] : replacing(before, after).map((input) => `${identity(before)} ${input}`),
    ),
  };
}

describe.each(Object.entries(SPECS))("a pipeline with %s", (_what, change) => {
  const inProfile = (profile: PipelineSpec["profile"], replicaRegion?: string) => {
    const spec = aSpec({
      alerts: { emails: ["ada@example.com"] },
      ...change,
      dataset: { ...change?.dataset, ...(replicaRegion !== undefined && { replicaRegion }) },
      profile,
    });
    return runProgram(pipelineProgram(anInput({ spec, foundation: PRODUCTION_FOUNDATION })));
  };

  it("moves to production without replacing or deleting anything that holds data, and back", async () => {
    const learning = await inProfile("learning");
    const production = await inProfile("production", "eu-central-1");
    const back = await inProfile("learning", "eu-central-1");
    for (const [from, to] of [
      [learning, production],
      [production, back],
    ] as const) {
      const { gone, replaced } = move(from, to);
      const lost = gone.filter(({ type, name }) => HOLDS_DATA.test(type) && name !== EDGE_LOGS_KEY);
      expect(lost.map(identity)).toEqual([]);
      expect(gone.filter(({ retainOnDelete }) => retainOnDelete).map(identity)).toEqual([]);
      // A notebook can't change its subnet; it is for trying things out, and what is worth keeping is in a repository.
      expect(replaced.filter((each) => !each.includes("::notebook "))).toEqual([]);
    }
  }, 60_000);
});
