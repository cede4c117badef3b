import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { askChild, ChildCrashed, type ChildOptions, ChildTooSlow } from "../runtime/child-process.ts";
import { NOT_IN_TIME } from "./engine-errors.ts";
import { schemaDigest } from "./rules.ts";
import type { Finding } from "./text-file.ts";
import { type Validation, type ValidationRequest, validateData } from "./validate-data.ts";
import type { Verdict } from "./verdict.ts";

/** A request that a process can be sent. */
export type FileValidation = Pick<
  ValidationRequest,
  "rules" | "baseline" | "workFolder" | "memoryLimitMb" | "now"
> & {
  readonly path: string;
  /** The file is quarantined as one that could not be read in time. */
  readonly limitMs: number;
};

const UNDECODABLE: Finding = {
  check: "structure",
  code: "unreadable",
  message: "The file can't be decoded: it is damaged, or not what its format allows",
};

/** For a child that does not notice that its time is up. Its start is in it, too. */
export const GRACE_MS = 30_000;

/** What the child does. */
export const validateFile = ({ path, limitMs, ...request }: FileValidation): Promise<Validation> =>
  validateData({ ...request, data: { path }, signal: AbortSignal.timeout(Math.max(1, limitMs)) });

/**
 * `validateData` in a process of its own. DuckDB takes what a Parquet file says of itself for true, here and there without a check: a
 * damaged file can end the process that decodes it, and this way gets its verdict nevertheless. `program` answers by `validateFile`.
 */
export async function validateInChild(
  program: string,
  request: FileValidation,
  { env, signal }: Pick<ChildOptions, "env" | "signal">,
): Promise<Validation> {
  await mkdir(request.workFolder, { recursive: true });
  const folder = await mkdtemp(join(request.workFolder, "child-"));
  try {
    return await askChild<Validation>(
      program,
      { ...request, workFolder: folder },
      { env, folder, limitMs: request.limitMs + GRACE_MS, ...(signal !== undefined && { signal }) },
    );
  } catch (error) {
    if (error instanceof ChildCrashed) return { verdict: await unread(request, UNDECODABLE) };
    if (error instanceof ChildTooSlow) return { verdict: await unread(request, NOT_IN_TIME) };
    throw error;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function unread({ path, rules, now }: FileValidation, finding: Finding): Promise<Verdict> {
  const hash = createHash("sha256");
  let bytes = 0;
  for await (const read of createReadStream(path)) {
    hash.update(read);
    bytes += read.length;
  }
  return {
    version: 1,
    outcome: "quarantined",
    severity: "critical",
    format: rules.format,
    bytes,
    sha256: hash.digest("hex"),
    schemaDigest: schemaDigest(rules),
    rows: 0,
    nullFraction: 0,
    duplicateRows: 0,
    reasons: [{ ...finding, severity: "critical" }],
    checkedAt: now.toISOString(),
  };
}
