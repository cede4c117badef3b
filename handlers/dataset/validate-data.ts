import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { join, resolve } from "node:path";
import { anomalyFindings } from "./anomalies.ts";
import { type ByteSource, fileSource, watched } from "./byte-source.ts";
import { driftBetween } from "./drift.ts";
import { type Connection, startEngine } from "./engine.ts";
import { NOT_IN_TIME } from "./engine-errors.ts";
import { checkParquet } from "./parquet-file.ts";
import type { Profile } from "./profile.ts";
import { duplicateFindings, findings, nullFraction } from "./reasons.ts";
import { type DatasetRules, schemaDigest } from "./rules.ts";
import { type TableChecker, tableChecker } from "./table-checker.ts";
import type { Tally } from "./tally.ts";
import { checkCsv, checkJsonLines } from "./text-checker.ts";
import { type Finding, Unreadable } from "./text-file.ts";
import type { Reason, Verdict } from "./verdict.ts";

/** Where the bytes are. Parquet is read here and there, so it must be a file. */
export type DataPlace = { readonly path: string } | { readonly open: () => ByteSource | Promise<ByteSource> };

export interface ValidationRequest {
  readonly data: DataPlace;
  readonly rules: DatasetRules;
  /** What drift is measured against; without one there is none. */
  readonly baseline?: { readonly profile: Profile; readonly version: string };
  /** For temporary files, in a folder of their own that is gone afterwards; 16 bytes a row and 100 MB. */
  readonly workFolder: string;
  /** Of DuckDB; the process takes about 200 MB more. */
  readonly memoryLimitMb?: number;
  readonly now: Date;
  /** Ends the reading: the file is quarantined as one that could not be read in time. */
  readonly signal?: AbortSignal;
  /** Bytes of text that are looked at together. */
  readonly partBytes?: number;
}

export interface Validation {
  readonly verdict: Verdict;
  /** How the values are distributed, of accepted data only. */
  readonly profile?: Profile;
}

/** Narrow tables take a fifth of it; a thousand columns nearly all. */
const MEMORY_LIMIT_MB = 1024;
/** Parts of a file that are checked at the same time: as many as libuv has threads, so that two cores have always something to do. */
const MOST_LANES = 4;
/** Columns that are looked at together: each takes memory in each lane, whatever the rows. */
const COLUMNS_AT_ONCE = 200;

/**
 * Reads a file from its beginning to its end, once, and says whether it is what the rules want. Every content gets a verdict: throws only
 * where reading or the temporary files fail, and then it can be tried again. The same file and rules give the same verdict but for
 * `checkedAt` and what depends on age.
 */
export async function validateData(request: ValidationRequest): Promise<Validation> {
  const { rules, now, baseline } = request;
  mkdirSync(request.workFolder, { recursive: true });
  const workFolder = mkdtempSync(join(request.workFolder, "validate-"));
  const { memoryLimitMb = MEMORY_LIMIT_MB } = request;
  const lanes = Math.min(MOST_LANES, Math.max(1, Math.floor(COLUMNS_AT_ONCE / rules.columns.length)));
  try {
    // Each lane has its connection, and works in the thread that asks for its rows.
    const engine = await startEngine({ workFolder, memoryLimitMb, threads: 1 });
    const stop = () => engine.interrupt();
    request.signal?.addEventListener("abort", stop);
    const checker = tableChecker(rules, workFolder);
    try {
      const others = await Promise.all(Array.from({ length: lanes - 1 }, () => engine.connect()));
      const read = await readAll(request, { connections: [engine, ...others], checker, workFolder });
      const counted = countedReasons(read, checker, rules, now);
      const drift =
        baseline === undefined || read.reasons.length > 0 || counted.tally.rows === 0
          ? undefined
          : {
              ...driftBetween(baseline.profile, checker.profile(), rules.columns, rules.quality.driftMethod),
              baseline: baseline.version,
            };
      const warnings = drift === undefined ? [] : driftReasons(drift, rules);
      const reasons = [...counted.reasons, ...warnings];
      const isAccepted = counted.reasons.length === 0;
      const verdict: Verdict = {
        version: 1,
        outcome: isAccepted ? "accepted" : "quarantined",
        severity: isAccepted ? (warnings.length > 0 ? "warning" : "none") : "critical",
        format: rules.format,
        bytes: read.bytes,
        sha256: read.sha256,
        schemaDigest: schemaDigest(rules),
        rows: counted.tally.rows,
        nullFraction: nullFraction(counted.tally),
        duplicateRows: counted.duplicates,
        reasons,
        ...(drift !== undefined && { drift: drift as NonNullable<Verdict["drift"]> }),
        checkedAt: now.toISOString(),
      };
      return { verdict, ...(isAccepted && { profile: checker.profile() }) };
    } finally {
      request.signal?.removeEventListener("abort", stop);
      checker.close();
      engine.close();
    }
  } finally {
    rmSync(workFolder, { recursive: true, force: true });
  }
}

interface Read {
  readonly tally: Tally;
  /** Found while reading. When reading ended early, nothing else can be said. */
  readonly reasons: readonly Finding[];
  readonly endedEarly: boolean;
  readonly bytes: number;
  readonly sha256: string;
}

interface Tools {
  readonly connections: readonly Connection[];
  readonly checker: TableChecker;
  readonly workFolder: string;
}

async function readAll(request: ValidationRequest, tools: Tools): Promise<Read> {
  const { data } = request;
  const opened = "path" in data ? await fileSource(data.path) : await data.open();
  try {
    return await readOpened(opened, request, tools);
  } finally {
    await opened.close();
  }
}

async function readOpened(
  opened: ByteSource,
  { data, rules, partBytes, signal }: ValidationRequest,
  { connections, checker, workFolder }: Tools,
): Promise<Read> {
  const hash = createHash("sha256");
  let bytes = 0;
  const source = watched(opened, (read) => {
    hash.update(read);
    bytes += read.length;
  });
  const inTime: ByteSource = {
    ...source,
    read: (into) => {
      if (signal?.aborted === true) throw new Unreadable(NOT_IN_TIME);
      return source.read(into);
    },
  };
  const options = { workFolder, connections, ...(partBytes !== undefined && { partBytes }) };
  let reasons: readonly Finding[] = [];
  let tally: Tally | undefined;
  let endedEarly = false;
  let digested: Promise<void> | undefined;
  try {
    if (rules.format === "csv") await checkCsv(inTime, checker, rules, options);
    else if (rules.format === "jsonl") {
      ({ tally, findings: reasons } = await checkJsonLines(inTime, checker, rules, options));
    } else {
      if (!("path" in data)) throw new Error("Parquet is read here and there: give the path of a file");
      // DuckDB takes some characters of a path for a pattern; those of this one are known.
      const path = join(workFolder, "data.parquet");
      symlinkSync(resolve(data.path), path);
      digested = readToEnd(source);
      // Told when it is awaited; without this Node would take it for unhandled.
      digested.catch(() => {});
      await checkParquet(path, connections, checker, rules);
    }
  } catch (error) {
    if (!(error instanceof Unreadable)) throw error;
    endedEarly = true;
    const before = checker.tally().rows;
    reasons = error.reasons.map(({ severity: _, record, ...reason }) => ({
      ...reason,
      ...(record !== undefined && { record: before + record + 1 }),
    }));
  }
  await (digested ?? readToEnd(source));
  return { tally: tally ?? checker.tally(), reasons, endedEarly, bytes, sha256: hash.digest("hex") };
}

/** What nobody wanted yet, for the checksum. */
async function readToEnd(source: ByteSource): Promise<void> {
  const rest = Buffer.allocUnsafe(1 << 20);
  while ((await source.read(rest)) > 0);
}

function countedReasons(read: Read, checker: TableChecker, rules: DatasetRules, now: Date) {
  const { tally } = read;
  const rejected = (found: readonly Finding[]): Reason[] =>
    found.map((finding) => ({ ...finding, severity: "critical" }));
  if (read.endedEarly) return { tally, duplicates: 0, reasons: rejected(read.reasons) };
  const duplicates = checker.duplicates();
  const anomalies = (rules.quality.anomalies ?? []).flatMap((declared, index) =>
    anomalyFindings(declared, () => checker.numbers(index)),
  );
  const found = [
    ...read.reasons,
    ...findings(tally, rules, now),
    ...duplicateFindings(tally.rows, duplicates, checker.keyDuplicates(), rules),
    ...anomalies,
  ];
  return { tally, duplicates, reasons: rejected(found) };
}

function driftReasons(
  { columns }: { readonly columns: readonly { readonly name: string; readonly score: number }[] },
  { quality: { driftThreshold: limit } }: DatasetRules,
): Reason[] {
  return columns
    .filter(({ score }) => score > limit)
    .map(({ name, score }) => ({
      check: "drift",
      code: "drift",
      severity: "warning",
      column: name,
      message: `"${name}" is distributed otherwise than in the baseline: ${score.toFixed(3)}, more than ${limit}`,
      score,
      limit,
    }));
}
