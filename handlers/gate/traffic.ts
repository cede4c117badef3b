import { createHash } from "node:crypto";
import type { S3Client } from "@aws-sdk/client-s3";
import { Compile } from "typebox/compile";
import { Traffic } from "../release/traffic.ts";
import { readDocument } from "../runtime/documents.ts";

const traffic = Compile(Traffic);

/** A release waits minutes from step to step; seconds of the old shares do it no harm. */
const MAX_AGE_MS = 5_000;

/** An endpoint without traffic gets another version, and traffic again, in no less than some minutes. */
const MOST_TRUSTED_MS = 60_000;

/** Who answers a request, and the digest of the transform that makes its features, where the version doesn't do it itself. */
export interface ChosenShare {
  readonly endpoint: string;
  readonly transform?: string;
}

const percentOf = (share: Traffic[string]) => (typeof share === "number" ? share : share.percent);

/**
 * The share of the traffic that this request belongs to, or undefined where none has traffic. The same id comes to the same endpoint
 * while shares stay, and as an endpoint's share grows it keeps the requests that it had.
 */
export function shareFor(shares: Traffic, inferenceId: string): ChosenShare | undefined {
  const parts = Object.entries(shares).sort(([one], [other]) => (one < other ? -1 : 1));
  const total = parts.reduce((sum, [, share]) => sum + percentOf(share), 0);
  // 48 bits are exact in a number.
  const place = createHash("sha256").update(inferenceId).digest().readUIntBE(0, 6) / 2 ** 48;
  let passed = 0;
  for (const [endpoint, share] of parts) {
    passed += percentOf(share);
    if (place * total < passed)
      return { endpoint, ...(typeof share === "object" && { transform: share.transform }) };
  }
  return undefined;
}

export interface TrafficSource {
  /** `shareFor` the current shares; undefined before the first release. Throws where they can't be read and none can hold. */
  shareFor(inferenceId: string): Promise<ChosenShare | undefined>;
}

/**
 * Reads shares anew when they are older than five seconds; while S3 doesn't answer, what was read last holds, for as long as it may be
 * true of the versions.
 */
export function trafficSource(
  s3: S3Client,
  place: { readonly bucket: string; readonly key: string },
  now: () => number,
): TrafficSource {
  let held: { readonly shares: Traffic; readonly readMs: number; readonly untilMs: number } | undefined;
  const current = async (): Promise<Traffic> => {
    if (held !== undefined && now() < held.untilMs) return held.shares;
    try {
      const shares = await read(s3, place);
      // That there was no release yet is asked again with every request.
      if (shares === undefined) return {};
      held = { shares, readMs: now(), untilMs: now() + MAX_AGE_MS };
    } catch (error) {
      if (held === undefined || mayBeWrong(held.shares, now() - held.readMs)) throw error;
      held = { ...held, untilMs: now() + MAX_AGE_MS };
    }
    return held.shares;
  };
  return { shareFor: async (inferenceId) => shareFor(await current(), inferenceId) };
}

/** Other features than those of the version give wrong answers that nobody notices; a wrong endpoint gives right ones. */
const mayBeWrong = (shares: Traffic, ageMs: number) =>
  ageMs > MOST_TRUSTED_MS && Object.values(shares).some((share) => typeof share === "object");

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
