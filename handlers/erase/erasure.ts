import type { FeatureRecords } from "./feature-records.ts";
import type { Search } from "./findings.ts";
import { OutOfTime } from "./limits.ts";
import { kindOf, SUBJECT_BUCKETS, type SubjectBucket } from "./places.ts";
import type { Affected, Pass, Progress, ProgressFile } from "./progress.ts";
import { Unsearchable } from "./records.ts";
import { eraseFromKey } from "./removal.ts";
import { type Around, type Scanned, SuccessorUnverified, scanKey, versionsOf } from "./scan.ts";
import { type KeyVersions, listKeys } from "./versions.ts";

/** Rather less than a stream from S3 brings and a core searches, so that a step that is begun also ends. */
const BYTES_PER_MS = (30 * 1024 ** 2) / 1000;
const MARGIN_MS = 20_000;

/** Small objects are searched together; a Parquet file and a large object alone. */
const BATCH_KEYS = 16;
const BATCH_BYTES = 32 * 1024 ** 2;

const SAVE_EVERY_MS = 30_000;

export interface ErasureArgs {
  readonly around: Omit<Around, "search">;
  readonly search: Omit<Search, "inferences">;
  readonly records: FeatureRecords | undefined;
  readonly remainingMs: () => number;
  readonly now: () => Date;
}

/** Searches everything, pass by pass, and erases what it finds. */
export class Erasure {
  readonly #args: ErasureArgs;
  readonly #around: Around;
  readonly #progress: Progress;
  readonly #file: ProgressFile;
  #savedAt = 0;

  constructor(args: ErasureArgs, progress: Progress, file: ProgressFile) {
    this.#args = args;
    this.#progress = progress;
    this.#file = file;
    this.#around = {
      ...args.around,
      search: () => ({ ...args.search, inferences: new Set(progress.inferences) }),
    };
  }

  /** Goes through all keys once, from where the pass under way was left. Throws `OutOfTime`, `SuccessorUnverified`. */
  async pass(): Promise<Pass> {
    try {
      return await this.#pass();
    } catch (error) {
      if (error instanceof OutOfTime) await this.#save();
      throw error;
    }
  }

  async #pass(): Promise<Pass> {
    const progress = this.#progress;
    for (const affected of progress.affected) if (affected.state !== "done") await this.#erase(affected);
    const pass = this.#openPass();
    const open = SUBJECT_BUCKETS.slice(SUBJECT_BUCKETS.indexOf(progress.cursor.bucket));
    for (const bucket of open) {
      if (progress.cursor.bucket !== bucket) progress.cursor = { bucket };
      for await (const batch of this.#batches(bucket)) await this.#search(bucket, batch, pass);
    }
    pass.endedAt = this.#args.now().toISOString();
    progress.cursor = { bucket: SUBJECT_BUCKETS[0] };
    await this.#save();
    return pass;
  }

  #openPass(): Pass {
    const { passes } = this.#progress;
    const last = passes.at(-1);
    if (last !== undefined && last.endedAt === undefined) return last;
    const startedAt = this.#args.now().toISOString();
    const pass: Pass = { startedAt, keys: 0, versions: 0, rows: 0, found: 0, withoutColumns: 0 };
    passes.push(pass);
    this.#progress.archived = [];
    this.#progress.unsearchable = [];
    return pass;
  }

  async *#batches(bucket: SubjectBucket): AsyncGenerator<KeyVersions[]> {
    const { s3, bucketName, format } = this.#around;
    let batch: KeyVersions[] = [];
    let bytes = 0;
    for await (const key of listKeys(s3, bucketName(bucket), { after: this.#progress.cursor.after })) {
      const kind = kindOf(bucket, key.key, format);
      if (kind === undefined) continue;
      const itsBytes = kind === "parquet" ? BATCH_BYTES : this.#bytesToSearch(bucket, key);
      if (batch.length > 0 && (batch.length === BATCH_KEYS || bytes + itsBytes > BATCH_BYTES)) {
        yield batch;
        batch = [];
        bytes = 0;
      }
      batch.push(key);
      bytes += itsBytes;
    }
    if (batch.length > 0) yield batch;
  }

  /** Time for what is too large would never be there. */
  #bytesToSearch(bucket: SubjectBucket, key: KeyVersions): number {
    return versionsOf(this.#around, bucket, key).searchable.reduce((sum, { bytes }) => sum + bytes, 0);
  }

  async #search(bucket: SubjectBucket, batch: readonly KeyVersions[], pass: Pass): Promise<void> {
    const progress = this.#progress;
    this.#needTimeFor(batch.reduce((sum, key) => sum + this.#bytesToSearch(bucket, key), 0));
    const scanned = await Promise.all(batch.map((key) => scanKey(this.#around, bucket, key)));
    for (const [index, found] of scanned.entries()) this.#count(bucket, batch[index]?.key ?? "", found, pass);
    // Before any version goes: afterwards nobody knows which records they were.
    for (const record of new Set(scanned.flatMap(({ records }) => [...records]))) {
      if (await this.#args.records?.erase(record, this.#args.now())) progress.records += 1;
    }
    const affected = scanned.flatMap((found) => found.affected ?? []);
    progress.affected.push(...affected);
    progress.cursor = { bucket, after: batch.at(-1)?.key ?? "" };
    if (affected.length > 0 || this.#args.now().getTime() - this.#savedAt > SAVE_EVERY_MS) await this.#save();
    for (const one of affected) await this.#erase(one);
  }

  #count(bucket: SubjectBucket, key: string, found: Scanned, pass: Pass): void {
    const progress = this.#progress;
    pass.keys += 1;
    pass.versions += found.versions;
    pass.rows += found.rows;
    pass.withoutColumns += found.withoutColumns;
    if (found.affected !== undefined) pass.found += 1;
    if (found.archived) progress.archived.push({ bucket, key });
    progress.unsearchable.push(...found.blocking.map((blocking) => ({ bucket, key, ...blocking })));
    progress.inferences = [...new Set([...progress.inferences, ...found.inferences])];
  }

  async #erase(affected: Affected): Promise<void> {
    // Written and read back.
    this.#needTimeFor(2 * (affected.current?.bytes ?? 0));
    try {
      if (!(await eraseFromKey(this.#around, affected, () => this.#save()))) this.#forget(affected);
    } catch (error) {
      if (error instanceof Unsearchable) return this.#leaveCurrent(affected, error.message);
      if (!(error instanceof SuccessorUnverified)) throw error;
      this.#forget(affected);
      await this.#save();
      throw error;
    }
  }

  /** The current version was searched and can't be written again: it stays, and older ones that held the subject go. */
  async #leaveCurrent(affected: Affected, reason: string): Promise<void> {
    const { bucket, key, current: { versionId } = { versionId: "" } } = affected;
    this.#progress.unsearchable.push({ bucket, key, versionId, reason });
    affected.held = affected.held.filter((held) => held.versionId !== versionId);
    delete affected.current;
    if (affected.held.length > 0) return this.#erase(affected);
    this.#forget(affected);
    // Found again by every pass: there would be no last one.
    const pass = this.#progress.passes.at(-1);
    if (pass !== undefined) pass.found -= 1;
    await this.#save();
  }

  /** Another pass finds the object as it is then. */
  #forget(affected: Affected): void {
    this.#progress.affected = this.#progress.affected.filter((one) => one !== affected);
  }

  #needTimeFor(bytes: number): void {
    if (this.#args.remainingMs() > MARGIN_MS + bytes / BYTES_PER_MS) return;
    throw new OutOfTime("The rest is for the next invocation");
  }

  async #save(): Promise<void> {
    await this.#file.save(this.#progress);
    this.#savedAt = this.#args.now().getTime();
  }
}
