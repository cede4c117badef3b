import { DeleteObjectCommand } from "@aws-sdk/client-s3";
import { beforeAll, describe, expect, it, vi } from "vitest";
import { listForTraining } from "../../handlers/manifests/training-manifest.ts";
import { createHandler, type PinAnswer } from "../../handlers/pin-manifest/handler.ts";
import { executionManifest, TRAINING_MANIFEST } from "../../programs/storage-layout.ts";
import { expectExactGrants } from "./support/granted-calls.ts";
import { type PipelineInAws, pipelineInAws } from "./support/pipeline-in-aws.ts";

describe("the manifest of an execution", () => {
  let aws: PipelineInAws;
  let validated: string;
  beforeAll(async () => {
    aws = await pipelineInAws();
    validated = aws.bucket("validated");
    await accept("data/1.csv", "data/2.csv", "data/3.csv");
  });

  const accept = async (...keys: string[]) => {
    for (const key of keys) await aws.put("validated", key, "species\nAdelie\n");
  };

  const current = () => `s3://${validated}/${TRAINING_MANIFEST}`;
  const pinned = (execution: string, manifest = current()): Promise<PinAnswer> =>
    createHandler(aws.environmentOf("pin-manifest"))({ manifest, execution });
  const listed = async (execution: string) =>
    JSON.parse(String(await aws.read("validated", executionManifest(execution))));
  const putManifest = (...entries: unknown[]) =>
    aws.put("validated", TRAINING_MANIFEST, JSON.stringify(entries));

  it("lists what was accepted when the execution began, whatever is accepted afterwards", async () => {
    await putManifest({ prefix: `s3://${validated}/` }, "data/1.csv");
    const { uri } = await pinned("first");
    expect(uri).toBe(`s3://${validated}/manifests/executions/first.manifest`);
    await listForTraining(aws.s3, validated, "data/2.csv");
    expect(await listed("first")).toEqual([{ prefix: `s3://${validated}/` }, "data/1.csv"]);
    await pinned("second");
    expect(await listed("second")).toEqual([{ prefix: `s3://${validated}/` }, "data/1.csv", "data/2.csv"]);
  });

  it("stays when the step is tried again", async () => {
    await putManifest({ prefix: `s3://${validated}/` }, "data/1.csv");
    const answer = await pinned("again");
    await listForTraining(aws.s3, validated, "data/2.csv");
    expect(await pinned("again")).toEqual(answer);
    expect(await listed("again")).toEqual([{ prefix: `s3://${validated}/` }, "data/1.csv"]);
  });

  it("can be that of another execution: a training of the same data", async () => {
    const { uri } = await pinned("original");
    await listForTraining(aws.s3, validated, "data/3.csv");
    await pinned("repetition", uri);
    expect(await listed("repetition")).toEqual(await listed("original"));
  });

  it("names each object once", async () => {
    await putManifest({ prefix: `s3://${validated}/data/` }, "1.csv", "2.csv", "1.csv");
    await pinned("once");
    expect(await listed("once")).toEqual([{ prefix: `s3://${validated}/` }, "data/1.csv", "data/2.csv"]);
  });

  it("leaves out what is no longer there: expired data is no reason to fail a training", async () => {
    await accept("data/expired.csv");
    await putManifest({ prefix: `s3://${validated}/` }, "data/expired.csv", "data/1.csv", "data/erased.csv");
    // Data that expires gets a delete marker.
    await aws.s3.send(new DeleteObjectCommand({ Bucket: validated, Key: "data/expired.csv" }));
    const lines: string[] = [];
    // The logger has a console of its own.
    const stderr = vi
      .spyOn(process.stderr, "write")
      .mockImplementation((line) => lines.push(String(line)) > 0);
    await pinned("true-list").finally(() => stderr.mockRestore());
    expect(await listed("true-list")).toEqual([{ prefix: `s3://${validated}/` }, "data/1.csv"]);
    expect(lines.map((line) => JSON.parse(line))).toMatchObject([
      { level: "WARN", execution: "true-list", leftOut: 2, objects: 1 },
    ]);
  });

  it("finds listed objects behind the first thousand", async () => {
    const keys = Array.from(
      { length: 1001 },
      (_, index) => `data/many/${String(index).padStart(4, "0")}.csv`,
    );
    await accept(...keys);
    await putManifest({ prefix: `s3://${validated}/` }, keys.at(-1), "data/many/none.csv");
    await pinned("many");
    expect(await listed("many")).toEqual([{ prefix: `s3://${validated}/` }, keys.at(-1)]);
  });

  it("is not made where nothing of what is listed is there any more", async () => {
    await putManifest({ prefix: `s3://${validated}/` }, "data/expired.csv", "data/erased.csv");
    await expect(pinned("nothing-left")).rejects.toThrow(
      "None of the 2 objects that the manifest lists is there any more: bring new data in",
    );
    expect(await aws.keysIn("validated", executionManifest("nothing-left"))).toEqual([]);
  });

  it.each([
    ["is no JSON", () => "{", "is no JSON"],
    ["lists nothing", () => JSON.stringify([{ prefix: `s3://${validated}/` }]), "lists no object"],
    [
      "lists what was not accepted",
      () => JSON.stringify([{ prefix: `s3://${validated}/` }, "baselines/1.json"]),
      "train on accepted data only",
    ],
  ])("is not made of one that %s", async (_, text, message) => {
    await aws.put("validated", TRAINING_MANIFEST, text());
    await expect(pinned("refused")).rejects.toThrow(message);
    expect(await aws.keysIn("validated", executionManifest("refused"))).toEqual([]);
  });

  it("is not made where there is none, or from elsewhere", async () => {
    await expect(pinned("refused", `s3://${validated}/manifests/mine.manifest`)).rejects.toThrow(
      `There is no s3://${validated}/manifests/mine.manifest: bring data in`,
    );
    for (const uri of [`s3://${aws.bucket("raw")}/manifests/mine`, `s3://${validated}/data/1.csv`, "mine"]) {
      await expect(pinned("refused", uri)).rejects.toThrow("is no manifest of the pipeline");
    }
    await expect(pinned("../training")).rejects.toThrow();
    expect(await aws.keysIn("validated", executionManifest("refused"))).toEqual([]);
  });

  expectExactGrants(() => aws.grantsOf("pin-manifest"));
});
