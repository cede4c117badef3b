import { vi } from "vitest";
import type { PipelineInput } from "../../../programs/inputs.ts";
import { pipelineNames } from "../../../programs/names.ts";
import { pipelineProgram } from "../../../programs/pipeline.ts";
import type { Release } from "../../../programs/release.ts";
import { ACCOUNT, anInput, aSpec, PRODUCTION_FOUNDATION } from "./inputs.ts";
import { type Run, runProgram } from "./run-program.ts";

export const names = pipelineNames({ account: ACCOUNT, team: "fraud", pipeline: "churn" });

type Change = NonNullable<Parameters<typeof aSpec>[0]>;

export const INTERNAL_DOMAIN = {
  name: "predict.internal.example.com",
  certificateArn: "arn:aws:acm:eu-west-1:111122223333:certificate/0f0e0d0c-0b0a-4908-8706-050403020100",
};

export const PUBLIC_DOMAIN = {
  name: "predict.example.com",
  certificateArn: "arn:aws:acm:us-east-1:111122223333:certificate/0f0e0d0c-0b0a-4908-8706-050403020100",
};

export const RELEASE: Release = {
  modelPackageArn: `arn:aws:sagemaker:eu-west-1:111122223333:model-package/${names.named("models")}/7`,
  imageDigest: `sha256:${"a".repeat(64)}`,
};

export const LIVE: Release = { ...RELEASE, endpoint: { name: names.named("live"), variantName: "primary" } };

// A run takes a second, and several on a busy machine.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 120_000 });

const known = new Map<string, Promise<Run>>();

/** Runs the program once for every different input. */
function run(input: PipelineInput): Promise<Run> {
  const key = JSON.stringify(input);
  const made = known.get(key) ?? runProgram(pipelineProgram(input));
  known.set(key, made);
  return made;
}

export const learning = (serving: Change["serving"], release?: Release): Promise<Run> =>
  run(anInput({ spec: aSpec({ serving: serving ?? {} }), ...(release && { release }) }));

export const production = (serving: Change["serving"], release?: Release): Promise<Run> =>
  run(
    anInput({
      spec: aSpec({
        profile: "production",
        dataset: { replicaRegion: "eu-central-1" },
        alerts: { emails: ["ada@example.com"] },
        serving: serving ?? {},
      }),
      foundation: PRODUCTION_FOUNDATION,
      ...(release && { release }),
    }),
  );
