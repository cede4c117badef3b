import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DuckDBInstance } from "@duckdb/node-api";
import { describe, expect, it } from "vitest";
import { applyTransform } from "../../handlers/features/apply.ts";
import { sha256 } from "../../handlers/features/parameters.ts";
import { readTransform } from "../../handlers/features/transform-store.ts";
import { createHandler, type FitAnswer } from "../../handlers/fit-transform/handler.ts";
import { executionManifest, TRAINING_MANIFEST } from "../../programs/storage-layout.ts";
import { aSpec } from "../programs/support/inputs.ts";
import { flights, someFeatures } from "./support/accepted-records.ts";
import { expectExactGrants } from "./support/granted-calls.ts";
import { type PipelineInAws, pipelineInAws } from "./support/pipeline-in-aws.ts";

const SCHEMA = [
  { name: "date", type: "timestamp", nullable: false },
  { name: "delay", type: "integer", nullable: false },
  { name: "distance", type: "integer", nullable: true },
  { name: "origin", type: "string", nullable: false },
  { name: "destination", type: "string", nullable: false },
] as const;

const FEATURES = someFeatures({
  target: "delay",
  derive: [{ name: "hour", operation: "datePart", column: "date", part: "hour" }],
  impute: [{ columns: ["distance"], strategy: "median" }],
  scale: [{ columns: ["distance"], method: "standard" }],
  encode: [
    { columns: ["origin"], method: "frequency", handleUnknown: "ignore" },
    { columns: ["destination"], method: "one-hot", handleUnknown: "ignore" },
  ],
});

const records = flights();
const csv = (rows: readonly Record<string, unknown>[]) =>
  [
    "origin,delay,date,distance,destination",
    ...rows.map((row) => [row.origin, row.delay, row.date, row.distance, `"${row.destination}"`].join(",")),
  ].join("\r\n");
const jsonl = (rows: readonly object[]) => rows.map((row) => JSON.stringify(row)).join("\n");

async function parquet(rows: readonly object[]): Promise<Buffer> {
  const folder = await mkdtemp(join(tmpdir(), "fit-test-"));
  try {
    const connection = await (await DuckDBInstance.create(":memory:")).connect();
    await connection.run(
      "CREATE TABLE flights (date TIMESTAMP, delay INTEGER, distance BIGINT, origin VARCHAR, destination VARCHAR)",
    );
    await writeFile(join(folder, "flights.jsonl"), jsonl(rows));
    await connection.run(`INSERT INTO flights BY NAME SELECT * FROM read_json('${folder}/flights.jsonl')`);
    await connection.run(`COPY flights TO '${folder}/flights.parquet' (FORMAT parquet)`);
    connection.closeSync();
    return await readFile(join(folder, "flights.parquet"));
  } finally {
    await rm(folder, { recursive: true });
  }
}

const FORMATS = ["csv", "jsonl", "parquet"] as const;

const MANIFEST = executionManifest("e1");

describe("fitting at the beginning of a training", () => {
  const pipelines: PipelineInAws[] = [];
  let aws: PipelineInAws;
  const fitted = (event?: object): Promise<FitAnswer> =>
    createHandler(aws.environmentOf("fit-transform"))(
      event ?? { manifest: `s3://${aws.bucket("validated")}/${MANIFEST}` },
    );
  const makePipeline = async (format: (typeof FORMATS)[number]) => {
    aws = await pipelineInAws(aSpec({ dataset: { format, schema: [...SCHEMA], features: FEATURES } }));
    pipelines.push(aws);
  };
  const accept = async (objects: Readonly<Record<string, string | Uint8Array>>) => {
    for (const [key, body] of Object.entries(objects)) await aws.put("validated", key, body);
    const entries = [
      { prefix: `s3://${aws.bucket("validated")}/data/` },
      ...Object.keys(objects).map((key) => key.slice(5)),
    ];
    await aws.put("validated", MANIFEST, JSON.stringify(entries));
  };
  const [first, second] = [records.slice(0, 1200), records.slice(1200)];
  const digests = new Map<string, string>();

  it.each(FORMATS)("keeps the parameters under their digest: %s", async (format) => {
    await makePipeline(format);
    await accept(
      format === "parquet"
        ? { "data/1.parquet": await parquet(first), "data/2.parquet": await parquet(second) }
        : {
            "data/1": format === "csv" ? csv(first) : jsonl(first),
            "data/2": format === "csv" ? csv(second) : jsonl(second),
          },
    );
    const { digest, uri } = await fitted();
    expect(uri).toBe(`s3://${aws.bucket("models")}/transforms/${digest}.json`);
    const parameters = await readTransform(aws.s3, aws.bucket("models"), digest);
    expect(parameters?.data.rows).toBe(records.length);
    const features = applyTransform(parameters!, records[7]!);
    expect(features[`destination_${records[7]!.destination}`]).toBe(1);
    const distances = records.map(({ distance }) => Number(distance));
    const mean = distances.reduce((sum, each) => sum + each, 0) / distances.length;
    expect(parameters?.scale[0]?.center).toBeCloseTo(mean, 9);
    expect(await fitted()).toEqual({ digest, uri });
    expect(await aws.keysIn("models", "transforms/")).toHaveLength(1);
    digests.set(format, JSON.stringify({ ...parameters, digest: undefined, data: undefined }));
  });

  it("finds the same in every format", () => {
    expect(digests.size).toBe(3);
    expect(new Set(digests.values()).size).toBe(1);
  });

  it("is another transform where the data is another", async () => {
    await makePipeline("csv");
    await accept({ "data/1": csv(first) });
    const one = await fitted();
    await accept({ "data/1": csv(first), "data/2": csv(second) });
    expect((await fitted()).digest).not.toBe(one.digest);
  });

  it("reads the execution's own manifest, whatever is accepted meanwhile", async () => {
    await makePipeline("csv");
    await accept({ "data/1": csv(first) });
    const pinned = await aws.read("validated", MANIFEST);
    await aws.put("validated", "data/2", csv(second));
    await aws.put(
      "validated",
      TRAINING_MANIFEST,
      JSON.stringify([{ prefix: `s3://${aws.bucket("validated")}/data/` }, "1", "2"]),
    );
    const parameters = await readTransform(aws.s3, aws.bucket("models"), (await fitted()).digest);
    expect(parameters?.data).toEqual({ rows: first.length, sha256: sha256(String(pinned)) });
    await expect(
      fitted({ manifest: `s3://${aws.bucket("validated")}/${TRAINING_MANIFEST}` }),
    ).rejects.toThrow("no manifest of an execution");
  });

  it("refuses what did not pass validation", async () => {
    await makePipeline("csv");
    const bucket = aws.bucket("validated");
    await aws.put("validated", MANIFEST, JSON.stringify([{ prefix: `s3://${bucket}/` }, "baselines/x"]));
    await expect(fitted()).rejects.toThrow("train on accepted data only");
    await aws.put(
      "validated",
      MANIFEST,
      JSON.stringify([{ prefix: `s3://${aws.bucket("raw")}/data/` }, "x"]),
    );
    await expect(fitted()).rejects.toThrow("train on accepted data only");
    await expect(fitted({ manifest: `s3://${aws.bucket("raw")}/manifests/mine` })).rejects.toThrow(
      "no manifest of an execution",
    );
    await expect(fitted({})).rejects.toThrow();
    expect(await aws.keysIn("models")).toEqual([]);
  });

  it("leaves nothing on the disk", async () => {
    expect((await readdir(tmpdir())).filter((name) => /^fit-[A-Za-z0-9]{6}$/.test(name))).toEqual([]);
  });

  expectExactGrants(() => pipelines.flatMap((made) => made.grantsOf("fit-transform")));
});
