import { describe, expect, it } from "vitest";
import { foundationProgram } from "../../../programs/foundation.ts";
import { pipelineProgram } from "../../../programs/pipeline.ts";
import { evaluate, refuses } from "../../../programs/policies/evaluate.ts";
import { policies } from "../../../programs/policies/index.ts";
import { type StackContext, stackOf } from "../../../programs/policies/stack.ts";
import { PROFILES } from "../../../programs/profiles.ts";
import { rehearse } from "../../../src/engine/rehearsal.ts";
import { ACCOUNT, anInput, aSpec, FOUNDATION, PRODUCTION_FOUNDATION } from "../support/inputs.ts";

const refusedBy = async (program: Parameters<typeof rehearse>[0], context: StackContext) => {
  const resources = await rehearse(program, { project: "aidlc", name: "fraud.churn", account: ACCOUNT });
  expect(resources.length).toBeGreaterThan(30);
  return evaluate(policies, stackOf(resources, context))
    .filter(refuses)
    .map(({ policy, resource, detail }) => `${policy} ${resource?.name ?? ""} ${detail ?? ""}`);
};

describe.each(PROFILES)("no policy refuses what the programs make in the profile %s:", (profile) => {
  const foundation = profile === "production" ? PRODUCTION_FOUNDATION : FOUNDATION;
  const dataset = profile === "production" ? { replicaRegion: "eu-central-1" } : {};
  const context = { program: "pipeline", profile, adopted: [] } as const;

  it("a pipeline", async () => {
    const spec = aSpec({ profile, dataset, alerts: { emails: ["ada@example.com"] } });
    expect(await refusedBy(pipelineProgram(anInput({ spec, foundation })), context)).toEqual([]);
  });

  it("a pipeline with a network, a schedule and jobs for large files of its own", async () => {
    const validationImage = "111122223333.dkr.ecr.eu-west-1.amazonaws.com/aidlc-validation-job:1";
    const spec = aSpec({
      profile,
      dataset: { ...dataset, validationImage },
      network: { dedicated: true },
      training: { schedule: "rate(1 day)" },
      alerts: { emails: ["ada@example.com"], webhooks: ["https://alerts.example"] },
    });
    expect(await refusedBy(pipelineProgram(anInput({ spec, foundation })), context)).toEqual([]);
  });

  it("a foundation", async () => {
    const program = foundationProgram({ account: ACCOUNT, profile });
    expect(await refusedBy(program, { ...context, program: "foundation" })).toEqual([]);
  });
});
