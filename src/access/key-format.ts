import { createHash, randomBytes, timingSafeEqual } from "node:crypto";

/** What starts every key, so that people and secret scanners know one when they see it. */
export const keyStart = "aidlc_";

/** The longest that a key may live. */
export const longestKeyDays = 366;

const format = /^aidlc_([0-9a-f]{12})_[A-Za-z0-9_-]{43}$/;

export interface NewKey {
  /** The key itself: to be shown once, and stored nowhere. */
  readonly text: string;
  readonly prefix: string;
  readonly digest: Buffer;
}

/** A key with 256 random bits. */
export function newKey(): NewKey {
  const prefix = randomBytes(6).toString("hex");
  const text = `${keyStart}${prefix}_${randomBytes(32).toString("base64url")}`;
  return { text, prefix, digest: digestOfKey(text) };
}

/** What a key is found by; undefined for what is no key. */
export function prefixOf(text: string): string | undefined {
  return format.exec(text)?.[1];
}

// A fast hash is enough: nobody can try out 256 random bits.
export function digestOfKey(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}

/** Compares secrets without telling, by the time it takes, how much of them is equal. */
export function sameSecret(presented: string, digest: Buffer): boolean {
  return timingSafeEqual(digestOfKey(presented), digest);
}
