import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import byHand from "../../programs/by-hand.ts";
import { FOUNDATION } from "./support/inputs.ts";
import { ofType, runProgram } from "./support/run-program.ts";

const PENGUINS = new URL("../../examples/penguins.yaml", import.meta.url).pathname;

describe("the program by hand", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "aidlc-by-hand-"));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  function run(specFile: string, stack = "birds.penguins", foundation: object = FOUNDATION) {
    const foundationFile = join(folder, "foundation.json");
    writeFileSync(foundationFile, JSON.stringify(foundation));
    return runProgram(
      () => {
        pulumi.runtime.setAllConfig({
          "aidlc-pipeline:specFile": specFile,
          "aidlc-pipeline:foundationFile": foundationFile,
        });
        return byHand();
      },
      { project: "aidlc-pipeline", stack },
    );
  }

  it("provisions the example under the stack's team and pipeline", async () => {
    const found = await run(PENGUINS);
    expect(found.outputs.parameterPrefix).toBe("/aidlc/birds/penguins");
    expect(ofType(found, "scheduler/schedule:Schedule").map(({ name }) => name)).toContain("retraining");
    expect(found.resources.some(({ retainOnDelete }) => retainOnDelete)).toBe(true);
  });

  it("refuses a spec that breaks a rule, and says where", async () => {
    const specFile = join(folder, "spec.json");
    writeFileSync(specFile, JSON.stringify(FAULTY));
    await expect(run(specFile)).rejects.toThrow("/training/schedule must be cron(…) or rate(…)");
  });

  it("refuses a stack that is not named after team and pipeline", async () => {
    await expect(run(PENGUINS, "dev")).rejects.toThrow('Stack "dev" is not named <team>.<pipeline>');
  });

  it("refuses outputs that are not a foundation's", async () => {
    await expect(run(PENGUINS, "birds.penguins", { accountId: "1" })).rejects.toThrow();
  });
});

const FAULTY = {
  apiVersion: "aidlc/v1",
  account: "main",
  owner: "ada@example.com",
  dataClassification: "public",
  dataset: { format: "csv", schema: [{ name: "x", type: "number" }] },
  training: { qualityGate: { metric: "accuracy", threshold: 0.9 }, schedule: "daily" },
};
