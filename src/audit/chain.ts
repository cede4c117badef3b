import { createHmac, hkdfSync } from "node:crypto";

/** One entry of the trail. Moments and documents are texts, because texts are what is hashed. */
export interface AuditEntry {
  /** From 1 without gaps. */
  readonly sequence: number;
  /** ISO 8601 in UTC, to the microsecond. */
  readonly at: string;
  readonly subject: string;
  readonly label: string;
  readonly team: string | null;
  readonly action: string;
  readonly target: string;
  readonly outcome: "changed" | "denied";
  readonly sourceAddress: string | null;
  readonly requestId: string;
  /** JSON. */
  readonly before: string | null;
  readonly after: string | null;
  readonly previousHash: string;
  readonly hash: string;
}

/** What the first entry follows. */
export const genesisHash = "0".repeat(64);

/** HKDF-SHA-256 (RFC 5869); stacks' passphrases come from the same secret under names that have a slash. */
export function hashKey(secret: string): Buffer {
  return Buffer.from(hkdfSync("sha256", secret, "", "audit trail", 32));
}

/** HMAC-SHA-256 over the JSON array of every column but the hash itself, in the order of the table. */
export function hashOf(key: Buffer, entry: Omit<AuditEntry, "hash">): string {
  const columns = [
    entry.sequence,
    entry.at,
    entry.subject,
    entry.label,
    entry.team,
    entry.action,
    entry.target,
    entry.outcome,
    entry.sourceAddress,
    entry.requestId,
    entry.before,
    entry.after,
    entry.previousHash,
  ];
  return createHmac("sha256", key).update(JSON.stringify(columns)).digest("hex");
}
