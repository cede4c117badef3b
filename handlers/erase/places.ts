import { PREFIX } from "../../programs/storage-layout.ts";
import type { TextKind } from "./rows.ts";

/** Buckets with rows of people, in the order in which they are searched: captures before labels, which are told by their ids. */
export const SUBJECT_BUCKETS = ["raw", "quarantine", "validated", "features", "predictions"] as const;
export type SubjectBucket = (typeof SUBJECT_BUCKETS)[number];

/** `document`: JSON in which values of the data may stand, such as samples and the categories of a profile. */
export type ObjectKind = TextKind | "parquet" | "document";

/**
 * How rows are written in an object; undefined for what holds none. By the key's end where it says so, else by the data set's
 * format. Proofs, manifests, profiles and baselines hold no values of rows.
 */
export function kindOf(
  bucket: SubjectBucket,
  key: string,
  format: "csv" | "jsonl" | "parquet",
): ObjectKind | undefined {
  if (key.endsWith("/")) return undefined;
  const end = /\.([a-z]+)$/i.exec(key)?.[1]?.toLowerCase() ?? "";
  if (bucket === "validated" && WITHOUT_ROWS.some((prefix) => key.startsWith(prefix))) return undefined;
  if (bucket === "predictions" && key.startsWith(PREFIX.captures)) return "captures";
  if (bucket === "predictions" && key.startsWith(PREFIX.labels))
    return end === "csv" ? "labels-csv" : "labels-jsonl";
  if (end === "json") return "document";
  return KINDS[end] ?? format;
}

const WITHOUT_ROWS = [PREFIX.erasures, PREFIX.manifests, PREFIX.profiles, PREFIX.baselines];

const KINDS: Readonly<Record<string, ObjectKind>> = {
  csv: "csv",
  jsonl: "jsonl",
  ndjson: "jsonl",
  parquet: "parquet",
};
