import { foundationProgram } from "../../programs/foundation.ts";
import type { FoundationOutputs, Release } from "../../programs/inputs.ts";
import { organizationProgram } from "../../programs/organization.ts";
import { pipelineProgram } from "../../programs/pipeline.ts";
import { PROFILES, type Profile } from "../../programs/profiles.ts";
import { type PipelineSpec, specProblems } from "../../programs/spec.ts";
import { exampleSpecs } from "./example-specs.ts";
import { fullSpec } from "./full-spec.ts";
import { type Run, runProgram } from "./run-program.ts";
import { sandboxStandIn } from "./sandbox-stand-in.ts";

export interface ReferenceRun {
  /** What was run, for people: `foundation, production` or `penguins, learning, released`. */
  readonly title: string;
  readonly program: "foundation" | "organization" | "pipeline";
  readonly profile: Profile;
  readonly released: boolean;
  readonly run: Run;
}

const account = { accountId: "123456789012", region: "eu-central-1" };
const team = "research";
// One name for all: what two examples have in common is the same to the letter.
const pipeline = "reference";

const release: Release = {
  modelPackageArn: `arn:aws:sagemaker:${account.region}:${account.accountId}:model-package/${pipeline}/1`,
  imageDigest: `sha256:${"0".repeat(64)}`,
  endpoint: { name: `aidlc-${team}-${pipeline}`, variantName: "live" },
};

/**
 * Runs every program as it is meant to be used, without an engine: both foundations, an organization's guardrails, and in both profiles every example, as far as
 * its spec allows, and a spec with all other options, before and after the first release.
 */
export async function referenceRuns(): Promise<readonly ReferenceRun[]> {
  const standIn = sandboxStandIn(account);
  const runs: ReferenceRun[] = [];
  for (const profile of PROFILES) {
    const run = await runProgram(foundationProgram({ account, profile }), standIn);
    runs.push({ title: `foundation, ${profile}`, program: "foundation", profile, released: false, run });
    const foundation = run.outputs as unknown as FoundationOutputs;
    for (const { name, spec } of specsIn(profile)) {
      for (const released of [false, true]) {
        const input = { team, pipeline, spec, account, foundation, ...(released && { release }) };
        const title = `${name}, ${profile}${released ? ", released" : ""}`;
        const run = await runProgram(pipelineProgram(input), standIn);
        runs.push({ title, program: "pipeline", profile, released, run });
      }
    }
  }
  const guardrails = { account, targets: ["r-root"], regions: [account.region], exemptRoles: [] };
  const run = await runProgram(organizationProgram(guardrails), standIn);
  runs.push({ title: "organization", program: "organization", profile: "production", released: false, run });
  return runs;
}

/** The examples in this profile, but for those that can't be moved to it, and the full spec. */
function specsIn(profile: Profile): readonly { readonly name: string; readonly spec: PipelineSpec }[] {
  const moved = exampleSpecs()
    .map(({ name, spec }) => ({ name, spec: { ...spec, profile } }))
    .filter(({ spec }) => specProblems(spec).length === 0);
  return [...moved, { name: "every option", spec: fullSpec(profile) }];
}
