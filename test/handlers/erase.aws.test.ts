import { createHash } from "node:crypto";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  DeleteObjectCommand,
  GetObjectTaggingCommand,
  HeadObjectCommand,
  ListObjectVersionsCommand,
  PutObjectCommand,
} from "@aws-sdk/client-s3";
import { CreateSecretCommand, SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { DuckDBInstance } from "@duckdb/node-api";
import { afterAll, beforeAll, describe, expect, inject, it, vi } from "vitest";
import { createHandler, type ErasureAnswer } from "../../handlers/erase/handler.ts";
import type { DataBucket } from "../../programs/names.ts";
import { TRAINING_MANIFEST } from "../../programs/storage-layout.ts";
import { aSpec } from "../programs/support/inputs.ts";
import { type AwsRecorder, recordAws } from "../support/aws-recorder.ts";
import { crashingParquet } from "./support/delta-parquet.ts";
import { expectExactGrants } from "./support/granted-calls.ts";
import { emulatorClient, type PipelineInAws, pipelineInAws } from "./support/pipeline-in-aws.ts";

// An erasure of a few objects asks the emulator a hundred times, which answers one call after another.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

const ADA = "ada@example.com";
const COLUMNS = [
  { name: "email", type: "string", nullable: false },
  { name: "visit", type: "integer", nullable: false },
  { name: "at", type: "timestamp", nullable: false },
  { name: "note", type: "string", nullable: true },
] as const;

const HEADER = "email,visit,at,note\n";
const row = (email: string, visit: number, note = "") =>
  `${email},${visit},2026-01-0${visit}T10:00:00Z,${note}\n`;

const spec = (format: "csv" | "jsonl" | "parquet" = "csv") =>
  aSpec({
    dataset: {
      format,
      schema: [...COLUMNS],
      featureStore: { recordIdentifier: "visit", eventTime: "at", online: true },
    },
  });

const pipelines: PipelineInAws[] = [];
let moto: AwsRecorder;
/** Bucket whose objects are read with a letter wrong, once the subject is out of them. */
const NONE = "no bucket";
let spoils = NONE;
/** Sizes that S3 tells of objects whose keys end so, which no test could bring. */
const claimedBytes = new Map<string, number>();
const GIB = 1024 ** 3;
/** What moto forgets of a feature group: that it has an online store. */
const FEATURE_GROUP = {
  RecordIdentifierFeatureName: "visit",
  EventTimeFeatureName: "at",
  FeatureDefinitions: [
    { FeatureName: "visit", FeatureType: "Integral" },
    { FeatureName: "at", FeatureType: "String" },
  ],
  OnlineStoreConfig: { EnableOnlineStore: true },
};
/** DeleteRecord, which moto does not know, is answered here. */
const deletedRecords: URLSearchParams[] = [];

beforeAll(async () => {
  const json = (body: unknown) => ({
    status: 200,
    type: "application/x-amz-json-1.1",
    body: JSON.stringify(body),
  });
  moto = await recordAws(
    inject("awsUrl"),
    ({ method, path, target }) => {
      if (target === "SageMaker.DescribeFeatureGroup") return json(FEATURE_GROUP);
      if (method !== "DELETE" || !path.startsWith("/FeatureGroup/")) return undefined;
      deletedRecords.push(new URL(path, "http://localhost").searchParams);
      return json({});
    },
    ({ method, path }, body) => {
      if (body.includes("<ListVersionsResult")) return withClaimedBytes(body);
      return method === "GET" && path.includes(spoils) && !body.includes(ADA)
        ? body.replace("bob", "rob")
        : body;
    },
  );
});
afterAll(() => moto.close());

const withClaimedBytes = (listing: string) =>
  listing.replaceAll(/<Version>.*?<\/Version>/gs, (version) => {
    const [, bytes] = [...claimedBytes].find(([end]) => version.includes(`${end}</Key>`)) ?? [];
    return bytes === undefined ? version : version.replace(/<Size>\d+/, `<Size>${bytes}`);
  });

async function aPipeline(format: "csv" | "jsonl" | "parquet" = "csv") {
  const pipeline = await pipelineInAws(spec(format));
  pipelines.push(pipeline);
  const env = { ...pipeline.environmentOf("erase"), AWS_ENDPOINT_URL: moto.url };
  const { names } = pipeline.setting;
  await emulatorClient(SecretsManagerClient, env).send(new CreateSecretCommand({ Name: names.secret }));
  const handler = createHandler(env);
  const erase = (
    change: Record<string, unknown> = {},
    remainingMs: () => number = () => 890_000,
  ): Promise<ErasureAnswer> =>
    handler(
      {
        requestId: "request-0001",
        subject: { email: ADA },
        requestedBy: "dpo",
        reason: "Art. 17",
        ...change,
      },
      {
        invokedFunctionArn: "arn:aws:lambda:eu-west-1:123456789012:function:erase",
        getRemainingTimeInMillis: remainingMs,
        memoryLimitInMB: "1024",
      },
    );
  return { ...pipeline, erase };
}

type Pipeline = Awaited<ReturnType<typeof aPipeline>>;

async function versionsOf({ s3, bucket }: PipelineInAws, kind: DataBucket, key: string) {
  const { Versions = [], DeleteMarkers = [] } = await s3.send(
    new ListObjectVersionsCommand({ Bucket: bucket(kind), Prefix: key }),
  );
  return { versions: Versions.map(({ VersionId = "" }) => VersionId), markers: DeleteMarkers.length };
}

const proofOf = async ({ read }: Pipeline) =>
  JSON.parse((await read("validated", "erasures/request-0001.json")).toString());

const sha256 = (content: string | Uint8Array) => createHash("sha256").update(content).digest("hex");

describe("erasing a subject", () => {
  it("keeps every other row byte by byte, and deletes only the versions that held the subject", async () => {
    const pipeline = await aPipeline();
    const { bucket, s3, put, read, erase } = pipeline;
    const clean = await put("raw", "visits.csv", HEADER + row("bob@example.com", 1));
    const old = await put("raw", "visits.csv", HEADER + row(ADA, 1));
    const now =
      `\uFEFF${HEADER}${row("bob@example.com", 1, '"two\nlines, ""quoted"""')}${row(ADA, 2)}${row("eve@example.com", 3)}`.replaceAll(
        "Z,\n",
        "Z,\r\n",
      );
    const { VersionId: latest = "" } = await s3.send(
      new PutObjectCommand({
        Bucket: bucket("raw"),
        Key: "visits.csv",
        Body: now,
        ContentType: "text/csv",
        Metadata: { origin: "shop", sha256: sha256(now) },
        Tagging: "tier=gold",
      }),
    );

    const answer = await erase();

    const expected = now.replace(/^ada.*\r\n/m, "");
    expect(answer).toMatchObject({ state: "done" });
    expect((await read("raw", "visits.csv")).toString()).toBe(expected);
    const { versions } = await versionsOf(pipeline, "raw", "visits.csv");
    expect(versions).toHaveLength(2);
    expect(versions).toContain(clean);
    expect(versions).not.toContain(old);
    expect(versions).not.toContain(latest);
    const head = await s3.send(new HeadObjectCommand({ Bucket: bucket("raw"), Key: "visits.csv" }));
    expect(head).toMatchObject({
      ContentType: "text/csv",
      Metadata: { origin: "shop", sha256: sha256(expected), "aidlc-erased": "request-0001" },
    });
    const tags = await s3.send(new GetObjectTaggingCommand({ Bucket: bucket("raw"), Key: "visits.csv" }));
    expect(tags.TagSet).toEqual([{ Key: "tier", Value: "gold" }]);
    expect(await proofOf(pipeline)).toMatchObject({
      requestedBy: "dpo",
      columns: ["email"],
      counts: { objects: 1, versionsDeleted: 2, rowsErased: 2, recordsDeleted: 2 },
      objects: [
        {
          bucket: bucket("raw"),
          key: "visits.csv",
          before: [
            { versionId: latest, sha256: sha256(now), rows: 1 },
            { versionId: old, rows: 1 },
          ],
          after: { sha256: sha256(expected), rows: 2 },
        },
      ],
      search: { keys: 1, versions: 2, found: 0 },
    });
  });

  it("takes an object without other rows away whole, and no older version comes back", async () => {
    const pipeline = await aPipeline();
    await pipeline.put("validated", "data/only.csv", HEADER + row(ADA, 1));
    const prefix = { prefix: `s3://${pipeline.bucket("validated")}/` };
    const manifest = (...keys: string[]) => JSON.stringify([prefix, ...keys]);
    await pipeline.put("validated", TRAINING_MANIFEST, manifest("data/only.csv", "data/other.csv"));
    await pipeline.put("raw", "back.csv", HEADER + row("bob@example.com", 1));
    await pipeline.put("raw", "back.csv", HEADER + row(ADA, 1));
    await pipeline.put("raw", "gone.csv", HEADER + row(ADA, 1));
    await pipeline.s3.send(new DeleteObjectCommand({ Bucket: pipeline.bucket("raw"), Key: "gone.csv" }));

    await pipeline.erase();

    expect(await versionsOf(pipeline, "validated", "data/")).toEqual({ versions: [], markers: 0 });
    expect((await pipeline.read("validated", TRAINING_MANIFEST)).toString()).toBe(manifest("data/other.csv"));
    expect(await versionsOf(pipeline, "raw", "gone.csv")).toEqual({ versions: [], markers: 0 });
    expect(await pipeline.keysIn("raw")).toEqual([]);
    expect((await versionsOf(pipeline, "raw", "back.csv")).versions).toHaveLength(1);
  });

  it.each([
    [
      "quarantine",
      "broken.csv",
      `email,visit\n${ADA},x,too,many\nbob@example.com,1\n`,
      "email,visit\nbob@example.com,1\n",
    ],
    [
      "raw",
      "lines.jsonl",
      `{"email":"a\\u0064a@example.com","visit":1}\n{"email":"bob@example.com","visit":2}\n`,
      `{"email":"bob@example.com","visit":2}\n`,
    ],
    [
      "predictions",
      "captures/live/main/2026/01/01/10/a.jsonl",
      `${capture("1,2026-01-01T00:00:00Z,x", "i1")}${capture(`${ADA},1,2026-01-01T00:00:00Z`, "i2")}`,
      capture("1,2026-01-01T00:00:00Z,x", "i1"),
    ],
    [
      "predictions",
      "captures/live/main/2026/01/01/11/b.jsonl",
      `${capture(JSON.stringify({ email: "bob@example.com" }), "i3")}${capture(JSON.stringify({ instances: [{ EMAIL: ADA }] }), "i4")}`,
      capture(JSON.stringify({ email: "bob@example.com" }), "i3"),
    ],
    [
      "quarantine",
      "broken.csv.verdict.json",
      JSON.stringify({ reasons: [{ column: "email", samples: [ADA, "x"] }], categories: { [ADA]: 2 } }),
      JSON.stringify({ reasons: [{ column: "email", samples: ["erased", "x"] }], categories: { erased: 2 } }),
    ],
  ] as const)("finds rows in %s/%s", async (kind, key, before, after) => {
    const pipeline = await aPipeline();
    await pipeline.put(kind, key, before);
    await pipeline.erase();
    expect((await pipeline.read(kind, key)).toString()).toBe(after);
    expect((await versionsOf(pipeline, kind, key)).versions).toHaveLength(1);
  });

  it("erases the labels of the subject's predictions", async () => {
    const pipeline = await aPipeline();
    await pipeline.put(
      "predictions",
      "captures/a.jsonl",
      capture(`${ADA},1,2026-01-01T00:00:00Z`, "i2") + capture("b,1,x", "i1"),
    );
    await pipeline.put("predictions", "labels/l.csv", "inference_id,label\ni1,1\ni2,0\n");
    await pipeline.put("predictions", "labels/l.jsonl", `${label("i1")}${label("i2")}`);
    await pipeline.erase();
    expect((await pipeline.read("predictions", "labels/l.csv")).toString()).toBe(
      "inference_id,label\ni1,1\n",
    );
    expect((await pipeline.read("predictions", "labels/l.jsonl")).toString()).toBe(label("i1"));
  });

  it("rewrites Parquet with the types and the order that it has", async () => {
    const pipeline = await aPipeline("parquet");
    const rows = `SELECT * FROM (VALUES ('bob@example.com', 1, TIMESTAMP '2026-01-01', 0.1::FLOAT), ('${ADA}', 2, TIMESTAMP '2026-01-02', 0.2), ('eve@example.com', 3, TIMESTAMP '2026-01-03', 0.3)) t(email, visit, "at", score)`;
    await pipeline.put("features", "compacted/part-0.parquet", await parquetOf(rows));
    expect(await pipeline.erase()).toMatchObject({ state: "done" });
    const left = await pipeline.read("features", "compacted/part-0.parquet");
    expect(await rowsIn(left)).toEqual(
      await rowsIn(await parquetOf(`SELECT * FROM (${rows}) WHERE visit <> 2`)),
    );
    expect((await versionsOf(pipeline, "features", "compacted/")).versions).toHaveLength(1);
  });

  it("deletes the subject's records from the online store, and leaves no marker in the offline store", async () => {
    deletedRecords.length = 0;
    const pipeline = await aPipeline();
    await pipeline.put("validated", "data/v.csv", HEADER + row(ADA, 4) + row("bob@example.com", 5));
    await pipeline.erase();
    expect(deletedRecords.map((record) => record.get("RecordIdentifierValueAsString"))).toEqual(["4"]);
    expect(deletedRecords[0]?.getAll("TargetStores")).toEqual(["OnlineStore"]);
    expect(deletedRecords[0]?.get("DeletionMode")).toBe("HardDelete");
    expect(deletedRecords[0]?.get("EventTime")).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
  });
});

describe("a successor that is not what was to be kept", () => {
  it("keeps every version where it is, and gives no proof", async () => {
    const pipeline = await aPipeline();
    const held = await pipeline.put("raw", "visits.csv", HEADER + row(ADA, 1) + row("bob@example.com", 2));
    spoils = pipeline.bucket("raw");
    await expect(pipeline.erase()).rejects.toThrow();
    spoils = NONE;
    expect((await versionsOf(pipeline, "raw", "visits.csv")).versions).toContain(held);
    expect(await pipeline.keysIn("validated", "erasures/request")).toEqual([]);
    expect(await pipeline.erase()).toMatchObject({ state: "done" });
    expect((await pipeline.read("raw", "visits.csv")).toString()).toBe(HEADER + row("bob@example.com", 2));
  });

  it("is not trusted for its mark alone", async () => {
    const pipeline = await aPipeline();
    const held = await pipeline.put("raw", "visits.csv", HEADER + row(ADA, 1) + row("bob@example.com", 2));
    await pipeline.s3.send(
      new PutObjectCommand({
        Bucket: pipeline.bucket("raw"),
        Key: "visits.csv",
        Body: HEADER + row("eve@example.com", 2),
        Metadata: { "aidlc-erased": "request-0001" },
      }),
    );
    await expect(pipeline.erase()).rejects.toThrow(/nothing was deleted/);
    expect((await versionsOf(pipeline, "raw", "visits.csv")).versions).toContain(held);
  });
});

describe("the proof", () => {
  it("names the subject by its pseudonym alone, also where a key holds its text", async () => {
    const pipeline = await aPipeline();
    await pipeline.put("raw", `exports/${ADA}.csv`, HEADER + row(ADA, 1) + row("bob@example.com", 2));
    await pipeline.erase();
    const stored = await pipeline.read("validated", "erasures/request-0001.json");
    expect(stored.includes("ada")).toBe(false);
    const proof = await proofOf(pipeline);
    expect(proof.subject).toMatch(/^[0-9a-f-]{36}\.[\w-]{43}$/);
    expect(proof.objects[0].keyPseudonym).toMatch(/^[0-9a-f-]{36}\.[\w-]{43}$/);
    expect(await versionsOf(pipeline, "validated", "erasures/progress/")).toEqual({
      versions: [],
      markers: 0,
    });
  });

  it("stands when nothing of the subject was there", async () => {
    const pipeline = await aPipeline();
    await pipeline.put("raw", "visits.csv", HEADER + row("bob@example.com", 1));
    expect(await pipeline.erase()).toMatchObject({ state: "done" });
    expect(await proofOf(pipeline)).toMatchObject({
      counts: { objects: 0 },
      search: { keys: 1, rows: 1, found: 0 },
    });
  });

  it("is written once: the same request again is answered by it, and another subject is refused", async () => {
    const pipeline = await aPipeline();
    await pipeline.put("raw", "visits.csv", HEADER + row(ADA, 1));
    const first = await pipeline.erase();
    const proof = await proofOf(pipeline);
    await pipeline.put("raw", "later.csv", HEADER + row(ADA, 1));
    expect(await pipeline.erase()).toEqual(first);
    expect(await proofOf(pipeline)).toEqual(proof);
    await expect(pipeline.erase({ subject: { email: "bob@example.com" } })).rejects.toThrow(
      /of another subject/,
    );
  });
});

describe("an erasure that can't end at once", () => {
  it("goes on where its time was up, at whichever step", async () => {
    const pipeline = await aPipeline();
    for (const part of ["a", "b", "c"]) {
      await pipeline.put("raw", `${part}.csv`, HEADER + row(ADA, 1) + row("bob@example.com", 2));
      await pipeline.put("validated", `data/${part}.csv`, HEADER + row(ADA, 1) + row("bob@example.com", 2));
    }
    const states: string[] = [];
    for (let invocation = 0; states.at(-1) !== "done"; invocation++) {
      let steps = 2;
      states.push((await pipeline.erase({}, () => (steps-- > 0 ? 890_000 : 1_000))).state);
      if (invocation > 30) break;
    }
    expect(states.length).toBeGreaterThan(3);
    expect(states.slice(0, -1).every((state) => state === "unfinished")).toBe(true);
    expect((await proofOf(pipeline)).counts).toMatchObject({ objects: 6, versionsDeleted: 6, rowsErased: 6 });
    expect((await pipeline.read("validated", "data/c.csv")).toString()).toBe(
      HEADER + row("bob@example.com", 2),
    );
  });

  it("asks for archived objects to be restored, and erases from them afterwards", async () => {
    const pipeline = await aPipeline();
    const { s3, bucket } = pipeline;
    await s3.send(
      new PutObjectCommand({
        Bucket: bucket("validated"),
        Key: "data/old.csv",
        Body: HEADER + row(ADA, 1) + row("bob@example.com", 2),
        StorageClass: "GLACIER",
      }),
    );
    expect(await pipeline.erase()).toEqual({ state: "pending", again: "in five hours", archived: 1 });
    expect(await pipeline.keysIn("validated", "erasures/request")).toEqual([]);
    expect(await pipeline.erase()).toMatchObject({ state: "done" });
    expect((await pipeline.read("validated", "data/old.csv")).toString()).toBe(
      HEADER + row("bob@example.com", 2),
    );
  });

  it("erases from archives that are readable at once without a restore", async () => {
    const pipeline = await aPipeline();
    await pipeline.s3.send(
      new PutObjectCommand({
        Bucket: pipeline.bucket("validated"),
        Key: "data/old.csv",
        Body: HEADER + row(ADA, 1) + row("bob@example.com", 2),
        StorageClass: "GLACIER_IR",
      }),
    );
    expect(await pipeline.erase()).toMatchObject({ state: "done" });
    expect((await pipeline.read("validated", "data/old.csv")).toString()).toBe(
      HEADER + row("bob@example.com", 2),
    );
  });

  it("gives no proof while an object can't be searched, and names it", async () => {
    const pipeline = await aPipeline();
    await pipeline.put("quarantine", "packed.csv", Buffer.from([0x1f, 0x8b, 0x08, 0, 0, 0]));
    await pipeline.put("quarantine", "free text.csv", `a,b\n1,${ADA}\n`);
    await pipeline.put("raw", "fine.csv", HEADER + row(ADA, 1) + row("bob@example.com", 2));
    const answer = await pipeline.erase();
    expect(answer).toMatchObject({
      state: "blocked",
      unsearchable: [
        {
          bucket: pipeline.bucket("quarantine"),
          key: "free text.csv",
          reason: expect.stringMatching(/not in a column/),
        },
        { key: "packed.csv", reason: "It is compressed" },
      ],
    });
    expect((await pipeline.read("raw", "fine.csv")).toString()).toBe(HEADER + row("bob@example.com", 2));
    for (const Key of ["packed.csv", "free text.csv"]) {
      const { versions } = await versionsOf(pipeline, "quarantine", Key);
      await pipeline.s3.send(
        new DeleteObjectCommand({ Bucket: pipeline.bucket("quarantine"), Key, VersionId: versions[0] }),
      );
    }
    expect(await pipeline.erase()).toMatchObject({ state: "done" });
  });
});

describe("a damaged Parquet file", () => {
  const rows = `SELECT unnest(['bob@example.com', '${ADA}']) AS email, unnest([1, 2]) AS visit, 'x' || unnest([1, 2]) AS note`;

  it("is named where it can't be searched or written again, and keeps nothing else from being erased", async () => {
    const pipeline = await aPipeline("parquet");
    const unsearchable = await pipeline.put("raw", "email.parquet", await damagedParquetOf(rows, "email"));
    const older = await pipeline.put("raw", "note.parquet", await parquetOf(rows));
    const unwritable = await pipeline.put("raw", "note.parquet", await damagedParquetOf(rows, "note"));
    await pipeline.put("raw", "other.parquet", await parquetOf(rows));
    const killing = await pipeline.put("raw", "killing.parquet", crashingParquet());
    const reason = "It is no whole Parquet file";
    const bucket = pipeline.bucket("raw");
    const blocked = {
      state: "blocked",
      again: "when they are repaired or deleted",
      unsearchable: [
        { bucket, key: "email.parquet", versionId: unsearchable, reason },
        {
          bucket,
          key: "killing.parquet",
          versionId: killing,
          reason: "It is a Parquet file that can't be decoded",
        },
        { bucket, key: "note.parquet", versionId: unwritable, reason },
      ],
    };
    expect(await pipeline.erase()).toEqual(blocked);
    expect((await versionsOf(pipeline, "raw", "note.parquet")).versions).toEqual([unwritable]);
    expect(older).not.toBe(unwritable);
    const [, left] = await rowsIn(await pipeline.read("raw", "other.parquet"));
    expect(left).toMatchObject([["bob@example.com", 1, "x1"]]);
    expect(await pipeline.erase()).toEqual(blocked);
    for (const [Key, VersionId] of [
      ["email.parquet", unsearchable],
      ["killing.parquet", killing],
      ["note.parquet", unwritable],
    ])
      await pipeline.s3.send(new DeleteObjectCommand({ Bucket: bucket, Key, VersionId }));
    expect(await pipeline.erase()).toMatchObject({ state: "done" });
  });
});

describe("an object that is too large", () => {
  const others = `SELECT 'bob@example.com' AS email, 1 AS visit, TIMESTAMP '2026-01-01' AS "at"`;
  const ada = `SELECT '${ADA}' AS email, 2 AS visit, TIMESTAMP '2026-01-02' AS "at"`;
  const blocking = async (pipeline: Pipeline, key: string) => ({
    bucket: pipeline.bucket("validated"),
    key,
    versionId: (await versionsOf(pipeline, "validated", key)).versions[0],
  });

  it("is named with its version, is not waited for, and keeps no other from being erased", async () => {
    const pipeline = await aPipeline();
    claimedBytes.set("huge.csv", 30 * GIB);
    await pipeline.put("validated", "data/huge.csv", HEADER + row(ADA, 1));
    await pipeline.put("validated", "data/small.csv", HEADER + row(ADA, 1) + row("bob@example.com", 2));
    expect(await pipeline.erase()).toEqual({
      state: "blocked",
      again: "when they are repaired or deleted",
      unsearchable: [{ ...(await blocking(pipeline, "data/huge.csv")), reason: "It has more than 12 GiB" }],
    });
    expect((await pipeline.read("validated", "data/small.csv")).toString()).toBe(
      HEADER + row("bob@example.com", 2),
    );
    expect(await pipeline.keysIn("validated", "erasures/request")).toEqual([]);
  });

  it("has only as many of its versions searched as there is time for, the newest first", async () => {
    const pipeline = await aPipeline();
    claimedBytes.set("often.csv", 10 * GIB);
    const bring = (content: string) => pipeline.put("validated", "data/often.csv", HEADER + content);
    const oldest = await bring(row(ADA, 1));
    const before = await bring(row("bob@example.com", 2));
    const newest = await bring(row("bob@example.com", 3));
    expect(await pipeline.erase()).toMatchObject({
      state: "blocked",
      unsearchable: [{ versionId: oldest, reason: "With newer versions of its key it has more than 24 GiB" }],
    });
    await pipeline.s3.send(
      new DeleteObjectCommand({
        Bucket: pipeline.bucket("validated"),
        Key: "data/often.csv",
        VersionId: before,
      }),
    );
    expect(await pipeline.erase()).toMatchObject({ state: "done" });
    expect((await versionsOf(pipeline, "validated", "data/often.csv")).versions).toEqual([newest]);
  });

  it("does not block an erasure as Parquet of up to 8 GiB that needs not be written again", async () => {
    const pipeline = await aPipeline("parquet");
    for (const name of ["without.parquet", "alone.parquet"]) claimedBytes.set(name, 8 * GIB);
    await pipeline.put("validated", "data/without.parquet", await parquetOf(others));
    await pipeline.put("validated", "data/alone.parquet", await parquetOf(ada));
    expect(await pipeline.erase()).toMatchObject({ state: "done" });
    expect(await pipeline.keysIn("validated", "data/")).toEqual(["data/without.parquet"]);
  });

  it("stays as it is as Parquet that would be written again above 4 GiB, but for the online store", async () => {
    const pipeline = await aPipeline("parquet");
    claimedBytes.set("beside.parquet", 4 * GIB + 1);
    const content = await parquetOf(`${others} UNION ALL ${ada}`);
    await pipeline.put("validated", "data/beside.parquet", content);
    deletedRecords.length = 0;
    expect(await pipeline.erase()).toMatchObject({
      state: "blocked",
      unsearchable: [
        {
          ...(await blocking(pipeline, "data/beside.parquet")),
          reason: "It is a Parquet file of more than 4 GiB, and the subject is in it beside others",
        },
      ],
    });
    expect(await pipeline.read("validated", "data/beside.parquet")).toEqual(content);
    expect(deletedRecords.map((record) => record.get("RecordIdentifierValueAsString"))).toEqual(["2"]);
  });
});

describe("a request that can't be obeyed", () => {
  it.each([
    ["without an id", { requestId: undefined }, /requestId/],
    ["of a column that the data set lacks", { subject: { name: "Ada" } }, /no column "name"/],
    ["of a value that no row can have", { subject: { visit: "three" } }, /"visit" is no integer/],
    ["with a reason that names the subject", { reason: `erase ${ADA}` }, /may not name the subject/],
  ])("is refused %s", async (_, change, message) => {
    const pipeline = await aPipeline();
    await expect(pipeline.erase(change)).rejects.toThrow(message);
  });
});

function capture(data: string, inferenceId: string): string {
  return `${JSON.stringify({
    captureData: {
      endpointInput: {
        observedContentType: "text/csv",
        mode: "INPUT",
        data,
        encoding: data.startsWith("{") ? "JSON" : "CSV",
      },
      endpointOutput: { observedContentType: "text/csv", mode: "OUTPUT", data: "0.9", encoding: "CSV" },
    },
    eventMetadata: { eventId: `event-${inferenceId}`, inferenceId, inferenceTime: "2026-01-01T10:00:00Z" },
    eventVersion: "0",
  })}\n`;
}

function label(eventId: string): string {
  return `${JSON.stringify({
    groundTruthData: { data: "1", encoding: "CSV" },
    eventMetadata: { eventId },
    eventVersion: "0",
  })}\n`;
}

async function inDuckDb<T>(
  work: (run: (sql: string) => Promise<unknown[][]>, folder: string) => Promise<T>,
): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), "erase-test-"));
  const database = await DuckDBInstance.create(":memory:");
  const connection = await database.connect();
  try {
    return await work(
      async (sql) => (await connection.runAndReadAll(sql)).getRowsJS() as unknown[][],
      folder,
    );
  } finally {
    connection.closeSync();
    database.closeSync();
    await rm(folder, { recursive: true });
  }
}

const parquetOf = (sql: string): Promise<Buffer> =>
  inDuckDb(async (run, folder) => {
    await run(`COPY (${sql}) TO '${folder}/rows.parquet' (FORMAT parquet)`);
    return readFile(`${folder}/rows.parquet`);
  });

/** Its footer is whole, and what is told of a column there is not what stands in it. */
const damagedParquetOf = (sql: string, column: string): Promise<Buffer> =>
  inDuckDb(async (run, folder) => {
    const place = `'${folder}/rows.parquet'`;
    await run(`COPY (${sql}) TO ${place} (FORMAT parquet)`);
    const [[at] = []] = await run(
      `SELECT min(data_page_offset) FROM parquet_metadata(${place}) WHERE path_in_schema = '${column}'`,
    );
    return (await readFile(`${folder}/rows.parquet`)).fill(0xff, Number(at), Number(at) + 20);
  });

const rowsIn = (parquet: Buffer) =>
  inDuckDb(async (run, folder) => {
    await writeFile(`${folder}/rows.parquet`, parquet);
    return [
      await run(`DESCRIBE SELECT * FROM '${folder}/rows.parquet'`),
      await run(`SELECT * FROM '${folder}/rows.parquet'`),
    ];
  });

expectExactGrants(() => pipelines.flatMap(({ grantsOf }) => grantsOf("erase")), {
  "s3:ListBucket": "S3 asks for it where a document that is read is not there",
  "s3:AbortMultipartUpload": "made by the SDK when an upload in parts fails",
  "secretsmanager:DescribeSecret": "what the other users of the secret have as well",
});
