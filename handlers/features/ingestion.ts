import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { S3Client } from "@aws-sdk/client-s3";
import {
  PutRecordCommand,
  type SageMakerFeatureStoreRuntimeClient,
} from "@aws-sdk/client-sagemaker-featurestore-runtime";
import Type from "typebox";
import { Value } from "typebox/value";
import type { Features } from "../../programs/spec/features.ts";
import { PREFIX } from "../../programs/storage-layout.ts";
import { startEngine } from "../dataset/engine.ts";
import { type ObjectPlace, readDocument, writeDocument } from "../runtime/documents.ts";
import { acceptedRows, type DatasetSchema, download } from "./accepted-file.ts";
import { featureQuery, featureRecord } from "./feature-records.ts";

/** Requests under way at once: as many as the SDK keeps connections. */
const CONCURRENCY = 50;

const ENGINE_MEMORY_MB = 512;

/** How often it is noted how far an object came: what is between is put again after a crash, and changes nothing. */
const ROWS_BETWEEN_NOTES = 20_000;

const Progress = Type.Object({ rows: Type.Integer({ minimum: 0 }), isDone: Type.Boolean() });

/** The time of this run is over; what is left goes on where it was noted. */
export class OutOfTime extends Error {
  override readonly name = "OutOfTime";
}

export interface Ingestion {
  readonly s3: S3Client;
  readonly store: SageMakerFeatureStoreRuntimeClient;
  readonly group: string;
  /** Names of the features that the group has. */
  readonly known: ReadonlySet<string>;
  /** Where it is noted how far each object came. */
  readonly notesBucket: string;
  readonly schema: DatasetSchema;
  readonly features: Features | undefined;
  /** Whether no more may be begun. */
  readonly isOver: () => boolean;
}

const noteKey = ({ key, versionId = "null" }: ObjectPlace) => `${PREFIX.ingested}${key}/${versionId}.json`;

/**
 * Puts the rows of an accepted object into the feature group. A record is known by its identifier and event time, so putting one twice leaves
 * it as it is online; an object that was put is not read again. Returns how many rows were put. Throws `OutOfTime`.
 */
export async function ingest(place: ObjectPlace, ingestion: Ingestion): Promise<number> {
  const { s3, notesBucket, isOver } = ingestion;
  const note = { bucket: notesBucket, key: noteKey(place) };
  const stored = await readDocument(s3, note);
  const { rows: begin, isDone } =
    stored === undefined ? { rows: 0, isDone: false } : Value.Parse(Progress, stored.value);
  if (isDone) return 0;
  if (isOver()) throw new OutOfTime(`${place.key} is not begun`);
  const workFolder = await mkdtemp(join(tmpdir(), "features-"));
  let rows = begin;
  try {
    let noted = begin;
    for await (const records of recordsOf(place, begin, workFolder, ingestion)) {
      await putAll(records, ingestion);
      rows += records.length;
      if (isOver()) {
        await writeDocument(s3, note, { rows, isDone: false });
        throw new OutOfTime(`${place.key} goes on at row ${rows}`);
      }
      if (rows - noted >= ROWS_BETWEEN_NOTES) {
        await writeDocument(s3, note, { rows, isDone: false });
        noted = rows;
      }
    }
    await writeDocument(s3, note, { rows, isDone: true });
  } finally {
    await rm(workFolder, { recursive: true, force: true });
  }
  return rows - begin;
}

type FeatureRecord = ReturnType<typeof featureRecord>;

/** The records behind the first `begin` of an object, some thousands at a time, always in the same order. */
async function* recordsOf(
  place: ObjectPlace,
  begin: number,
  workFolder: string,
  { s3, schema, features, known }: Ingestion,
): AsyncIterable<readonly FeatureRecord[]> {
  const path = join(workFolder, "accepted");
  await download(s3, place, path);
  // One thread keeps the order of the file.
  const engine = await startEngine({ workFolder, memoryLimitMb: ENGINE_MEMORY_MB, threads: 1 });
  try {
    const rows = await acceptedRows(engine, path, schema);
    const { sql, names } = featureQuery(rows, schema.columns, features, known);
    for await (const chunk of engine.chunks(`${sql} OFFSET ${begin}`)) {
      yield chunk.getRows().map((values) => featureRecord(names, values));
    }
  } finally {
    engine.close();
  }
}

/** All of them, a bounded number at once; throws the first failure once nothing is under way any more. */
async function putAll(records: readonly FeatureRecord[], { store, group }: Ingestion): Promise<void> {
  const left = records.values();
  const put = async () => {
    for (const Record of left) {
      await store.send(new PutRecordCommand({ FeatureGroupName: group, Record }));
    }
  };
  const settled = await Promise.allSettled(Array.from({ length: CONCURRENCY }, put));
  for (const result of settled) if (result.status === "rejected") throw result.reason;
}
