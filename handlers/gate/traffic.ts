import { createHash } from "node:crypto";
import type { S3Client } from "@aws-sdk/client-s3";
import type { Static } from "typebox";
import { Compile } from "typebox/compile";
import { Traffic as TrafficDocument } from "../release/traffic.ts";
import { readDocument } from "../runtime/documents.ts";

export type Traffic = Static<typeof TrafficDocument>;

const traffic = Compile(TrafficDocument);

/** A release waits minutes from step to step; seconds of the old shares do it no harm. */
const MAX_AGE_MS = 5_000;

/**
 * The endpoint that answers this request, or undefined where none has traffic. The same id comes to the same endpoint while shares
 * stay, and as an endpoint's share grows it keeps the requests that it had.
 */
export function endpointFor(shares: Traffic, inferenceId: string): string | undefined {
  const parts = Object.entries(shares).sort(([one], [other]) => (one < other ? -1 : 1));
  const total = parts.reduce((sum, [, percent]) => sum + percent, 0);
  // 48 bits are exact in a number.
  const place = createHash("sha256").update(inferenceId).digest().readUIntBE(0, 6) / 2 ** 48;
  let passed = 0;
  for (const [endpoint, percent] of parts) {
    passed += percent;
    if (place * total < passed) return endpoint;
  }
  return undefined;
}

export interface TrafficSource {
  /** `endpointFor` the current shares; undefined before the first release. Throws where they were never read and can't be. */
  endpointFor(inferenceId: string): Promise<string | undefined>;
}

/** Reads shares anew when they are older than five seconds; while S3 doesn't answer, what was read last holds. */
export function trafficSource(
  s3: S3Client,
  place: { readonly bucket: string; readonly key: string },
  now: () => number,
): TrafficSource {
  let held: { readonly shares: Traffic; readonly readMs: number } | undefined;
  const current = async (): Promise<Traffic> => {
    if (held !== undefined && now() - held.readMs < MAX_AGE_MS) return held.shares;
    const shares = await read(s3, place).catch((error: unknown) => {
      if (held === undefined) throw error;
      return held.shares;
    });
    // That there was no release yet is asked again with every request.
    if (shares !== undefined) held = { shares, readMs: now() };
    return shares ?? {};
  };
  return { endpointFor: async (inferenceId) => endpointFor(await current(), inferenceId) };
}

async function read(
  s3: S3Client,
  place: { readonly bucket: string; readonly key: string },
): Promise<Traffic | undefined> {
  const document = await readDocument(s3, place).catch((error: unknown) => {
    // S3 tells only who may list the bucket that an object isn't there; others may not read it.
    if ((error as Error).name === "AccessDenied") return undefined;
    throw error;
  });
  if (document === undefined) return undefined;
  if (traffic.Check(document.value)) return document.value;
  throw new Error(`s3://${place.bucket}/${place.key} holds no shares of traffic: release again`);
}
