import { randomUUID } from "node:crypto";
import { rename, rm, stat, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import type { Readable } from "node:stream";
import type pg from "pg";
import type { Logger } from "pino";
import { datasetRules, schemaDigest } from "../../handlers/dataset/rules.ts";
import type { Validation } from "../../handlers/dataset/validate-data.ts";
import { type AuditContext, type AuditTrail, serviceContext } from "../audit/trail.ts";
import { AppError } from "../errors.ts";
import { findPipeline, getRevision, type Pipeline } from "../pipelines/store.ts";
import { isToldAsOutage } from "../postgres/outage.ts";
import { inTransaction } from "../postgres/pool.ts";
import { beginningsIn, copyVerified, lookInto, receiveFile, renameIfThere } from "./files.ts";
import { BucketFolders, type PipelineRef } from "./folders.ts";
import {
  findIngestion,
  type Ingestion,
  insertIngestion,
  isGone,
  readBaseline,
  recordFailure,
  recordVerdict,
} from "./store.ts";
import type { validateApart } from "./validator.ts";

export interface IngestorOptions {
  readonly pool: pg.Pool;
  readonly audit: AuditTrail;
  readonly dataDir: string;
  readonly log: Logger;
  readonly validate: typeof validateApart;
}

const sweepMs = 2_000;
/** Folders without a new file are looked at once a minute, and at the start: their pipeline may be gone. */
const wholeSweepEvery = 30;
const attempts = 3;

/** Names that files have in folders, listings and logs. */
const acceptableName = /^[\p{L}\p{N}][\p{L}\p{N} ._()+-]*$/u;
/** Folders take 255 bytes; the id and what tells a verdict go with a name. */
const longestNameBytes = 200;

const isAcceptable = (name: string) =>
  acceptableName.test(name) && Buffer.byteLength(name) <= longestNameBytes;

interface Sweep {
  readonly seen: Map<string, string>;
  readonly ignored: Set<string>;
  readonly all: boolean;
}

/**
 * Takes files for pipelines of the sandbox, from requests and from their raw folders, and gives each its verdict: one at a time, in a
 * process of its own. A file is moved by a copy that is verified before the file goes.
 */
export class Ingestor {
  readonly #options: IngestorOptions;
  readonly #folders: BucketFolders;
  readonly #closing = new AbortController();
  /** Sizes and times of files in raw folders as the last sweep saw them: one that still grows is left alone. */
  #seen = new Map<string, string>();
  /** What lies in raw folders and isn't taken, as the last sweep saw it: each is told once. */
  #ignored = new Set<string>();
  /** Files of requests that are arriving; any other beginning of one is what a killed process left. */
  readonly #arriving = new Set<string>();
  #sweeps = 0;
  readonly #queued = new Map<string, string>();
  readonly #tries = new Map<string, number>();
  #working: Promise<void> = Promise.resolve();
  #sweeping: Promise<void> = Promise.resolve();
  #timer: NodeJS.Timeout | undefined;

  constructor(options: IngestorOptions) {
    this.#options = options;
    this.#folders = new BucketFolders(options.dataDir);
  }

  start(): void {
    this.#timer = setInterval(() => void this.sweep(), sweepMs);
    this.#timer.unref();
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    this.#closing.abort();
    await this.#sweeping;
    await this.#working;
  }

  /** Until every file that was taken so far has been tried. */
  async settled(): Promise<void> {
    await this.#working;
  }

  /**
   * Writes a file of a request as it arrives and takes it. Throws `payload_too_large`, `pipeline_conflict` while the pipeline has no
   * applied revision, and `stack_busy` while it is being destroyed.
   */
  async receive(pipeline: Pipeline, name: string, body: Readable, by: AuditContext): Promise<Ingestion> {
    if (pipeline.appliedRevision === null) {
      throw new AppError(
        "pipeline_conflict",
        `Pipeline "${pipeline.name}" has no bucket yet: wait until its first update has succeeded`,
      );
    }
    const { state, lastChange, team } = pipeline;
    if (state === "destroying") {
      throw new AppError(
        "stack_busy",
        `Pipeline "${pipeline.name}" is being destroyed: give the file to the next one of the name`,
        { details: lastChange === null ? {} : { operation: { id: lastChange.id, team } } },
      );
    }
    await this.#folders.prepare(pipeline);
    const id = randomUUID();
    const part = join(this.#folders.taken(pipeline), `.${id}.part`);
    this.#arriving.add(part);
    try {
      const bytes = await receiveFile(body, part).catch(async (error: unknown) => {
        await rm(part, { force: true });
        throw error;
      });
      // Under its own name only when it is on record: a file whose caller is told of a failure would be taken, and come twice.
      const ingestion = await this.#record(pipeline, { id, name, bytes }, by);
      const path = this.#pathOf(pipeline, { id, name });
      await rename(part, path);
      this.#enqueue(pipeline, ingestion, path);
      return ingestion;
    } finally {
      this.#arriving.delete(part);
    }
  }

  /** Looks once for files that were dropped, and for what an earlier process left. */
  sweep(): Promise<void> {
    this.#sweeping = this.#sweeping
      .then(() => this.#sweepAll())
      .catch((error: unknown) =>
        this.#options.log.error({ err: error }, "raw folders could not be looked through"),
      );
    return this.#sweeping;
  }

  async #sweepAll(): Promise<void> {
    const seen = new Map<string, string>();
    const ignored = new Set<string>();
    const all = this.#sweeps++ % wholeSweepEvery === 0;
    for (const ref of await this.#folders.pipelines()) {
      if (this.#closing.signal.aborted) return;
      // One pipeline's folder that can't be read, or a file in it that can't be moved, must not keep the others' waiting.
      await this.#sweepPipeline(ref, { seen, ignored, all }).catch((error: unknown) => {
        if (isToldAsOutage(this.#options.pool, error)) return;
        this.#options.log.error(
          { err: error, team: ref.team, pipeline: ref.name },
          "a raw folder could not be looked through",
        );
      });
    }
    this.#seen = seen;
    this.#ignored = ignored;
  }

  async #sweepPipeline(ref: PipelineRef, { seen, ignored, all }: Sweep): Promise<void> {
    const { pool, log } = this.#options;
    const { files: dropped, others } = await lookInto(this.#folders.raw(ref), isAcceptable);
    for (const path of others) {
      ignored.add(path);
      if (this.#ignored.has(path)) continue;
      log.warn({ path }, "what lies in a raw folder is not taken: it takes a plain file with a plain name");
    }
    if (all) await this.#settleBeginnings(ref);
    const { files: taken } = await lookInto(this.#folders.taken(ref), () => true);
    const open = taken.filter((path) => !this.#queued.has(path));
    if (dropped.length === 0 && open.length === 0 && !all) return;
    const pipeline = await findPipeline(pool, ref.team, ref.name);
    if (pipeline === undefined) {
      // What was in the buckets goes with them.
      if (await isGone(pool, ref.team, ref.name)) {
        await rm(this.#folders.of(ref), { recursive: true, force: true });
      }
      return;
    }
    if (dropped.length === 0 && open.length === 0) return;
    if (pipeline.appliedRevision === null || pipeline.state === "destroying") return;
    await this.#folders.prepare(ref);
    for (const path of dropped) {
      const file = await stat(path).catch(() => undefined);
      if (file === undefined) continue;
      const now = `${file.size} ${file.mtimeMs}`;
      seen.set(path, now);
      if (this.#seen.get(path) === now) await this.#takeDropped(pipeline, path, file.size);
    }
    for (const path of open) await this.#resume(pipeline, path);
  }

  /**
   * Of files whose request came to no good end, because its process or the database died: whole where they are on record, which may
   * have been the last that was done; of the others whoever gave them knows that they have to come again.
   */
  async #settleBeginnings(ref: PipelineRef): Promise<void> {
    for (const part of await beginningsIn(this.#folders.taken(ref))) {
      if (this.#arriving.has(part)) continue;
      const id = /^\.([0-9a-f-]{36})\.part$/.exec(basename(part))?.[1];
      const known = id === undefined ? undefined : await findIngestion(this.#options.pool, id);
      if (known === undefined) await rm(part, { force: true });
      else await renameIfThere(part, this.#pathOf(ref, known));
    }
  }

  async #takeDropped(pipeline: Pipeline, from: string, bytes: number): Promise<void> {
    const name = basename(from);
    const id = randomUUID();
    const path = this.#pathOf(pipeline, { id, name });
    await rename(from, path);
    await this.#take(pipeline, { id, name, bytes }, path, serviceContext(id));
  }

  /** What was taken before this process began: a dropped file has no record where the service ended in between. */
  async #resume(pipeline: Pipeline, path: string): Promise<void> {
    const [, id = "", name = ""] = /^([0-9a-f-]{36})-(.+)$/.exec(basename(path)) ?? [];
    if (id === "") return;
    const known = await findIngestion(this.#options.pool, id);
    if (known === undefined) {
      const { size } = await stat(path);
      await this.#take(pipeline, { id, name, bytes: size }, path, serviceContext(id));
    } else if (known.state !== "failed") {
      this.#enqueue(pipeline, known, path);
    }
  }

  async #take(
    pipeline: Pipeline,
    file: Pick<Ingestion, "id" | "name" | "bytes">,
    path: string,
    by: AuditContext,
  ): Promise<void> {
    this.#enqueue(pipeline, await this.#record(pipeline, file, by), path);
  }

  #record(
    pipeline: Pipeline,
    file: Pick<Ingestion, "id" | "name" | "bytes">,
    by: AuditContext,
  ): Promise<Ingestion> {
    const { pool, audit } = this.#options;
    return inTransaction(pool, async (client) => {
      const inserted = await insertIngestion(client, { ...file, pipelineId: pipeline.id });
      await audit.change(client, by, {
        action: "data.receive",
        team: pipeline.team,
        target: `/teams/${pipeline.team}/pipelines/${pipeline.name}/data`,
        after: { id: file.id, name: file.name, bytes: file.bytes },
      });
      return inserted;
    });
  }

  #enqueue(pipeline: Pipeline, ingestion: Ingestion, path: string): void {
    if (this.#queued.has(path)) return;
    this.#queued.set(path, ingestion.id);
    this.#working = this.#working.then(() => this.#work(pipeline, ingestion, path));
  }

  async #work(pipeline: Pipeline, ingestion: Ingestion, path: string): Promise<void> {
    const { pool, log } = this.#options;
    const tries = (this.#tries.get(path) ?? 0) + 1;
    try {
      if (this.#closing.signal.aborted) return;
      await this.#judge(pipeline, ingestion, path);
      this.#tries.delete(path);
    } catch (error) {
      if (this.#closing.signal.aborted) return;
      log.error({ err: error, ingestion: ingestion.id }, "a file could not be validated");
      this.#tries.set(path, tries);
      if (tries < attempts) return;
      const why = "The validation failed three times: see the service's log, then give the file once more";
      await recordFailure(pool, ingestion.id, why).catch(() => {});
    } finally {
      // A sweep finds it again if it is still there.
      this.#queued.delete(path);
    }
  }

  async #judge(pipeline: Pipeline, ingestion: Ingestion, path: string): Promise<void> {
    const { pool } = this.#options;
    const known = await findIngestion(pool, ingestion.id);
    const validation =
      known?.verdict == null ? await this.#validate(pipeline, ingestion, path) : { verdict: known.verdict };
    const { verdict } = validation;
    const place = join(this.#folders.judged(pipeline, verdict.outcome), basename(path));
    await copyVerified(path, place, verdict.sha256);
    if (verdict.outcome === "quarantined") {
      await writeFile(`${place}.verdict.json`, `${JSON.stringify(verdict, null, 2)}\n`);
    }
    await inTransaction(pool, (client) => recordVerdict(client, ingestion, validation));
    await rm(path, { force: true });
  }

  async #validate(pipeline: Pipeline, ingestion: Ingestion, path: string): Promise<Validation> {
    const { pool, dataDir, validate } = this.#options;
    const { spec } = await getRevision(pool, pipeline.id, pipeline.appliedRevision ?? 1);
    const rules = datasetRules(spec);
    const baseline = await readBaseline(pool, ingestion.pipelineId, schemaDigest(rules));
    return validate(
      { path, rules, workFolder: join(dataDir, "work-data"), ...(baseline && { baseline }) },
      this.#closing.signal,
    );
  }

  #pathOf(pipeline: PipelineRef, { id, name }: { readonly id: string; readonly name: string }): string {
    return join(this.#folders.taken(pipeline), `${id}-${name}`);
  }
}
