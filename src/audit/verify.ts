import { type AuditEntry, genesisHash, hashOf } from "./chain.ts";

/** An entry by its place and its hash. */
export interface Head {
  readonly sequence: number;
  readonly hash: string;
}

export interface Verification {
  readonly ok: boolean;
  /** How many entries are as they were written, up to the first that isn't. */
  readonly entries: number;
  /** The last of these; sequence 0 before the first. */
  readonly head: Head;
  readonly broken?: { readonly sequence: number; readonly reason: string };
}

/**
 * Follows the chain from its beginning to its end. Entries that are missing at the end can only be told by a head that was noted
 * when they were there.
 */
export async function verifyChain(
  batches: AsyncIterable<readonly AuditEntry[]>,
  key: Buffer,
  noted?: Head,
): Promise<Verification> {
  let head: Head = { sequence: 0, hash: genesisHash };
  const broken = (sequence: number, reason: string): Verification => ({
    ok: false,
    entries: head.sequence,
    head,
    broken: { sequence, reason },
  });
  if (noted?.sequence === 0 && noted.hash !== head.hash)
    return broken(1, `what was noted is no trail's beginning: that has the hash ${genesisHash}`);
  for await (const batch of batches) {
    for (const entry of batch) {
      const sequence = head.sequence + 1;
      const reason = faultOf(entry, head, key);
      if (reason !== undefined) return broken(sequence, reason);
      head = { sequence, hash: entry.hash };
      if (noted?.sequence === sequence && noted.hash !== entry.hash)
        return broken(sequence, "its hash is not the one that was noted: the trail was written anew");
    }
  }
  if (noted !== undefined && noted.sequence > head.sequence)
    return broken(
      head.sequence + 1,
      `it is missing, with all others up to ${noted.sequence}, which was noted`,
    );
  return { ok: true, entries: head.sequence, head };
}

function faultOf(entry: AuditEntry, previous: Head, key: Buffer): string | undefined {
  if (entry.sequence !== previous.sequence + 1)
    return entry.sequence > previous.sequence + 1
      ? `it is missing: entry ${entry.sequence} comes instead`
      : `entry ${entry.sequence} comes instead`;
  if (entry.hash !== hashOf(key, entry)) return "its hash is not that of its columns";
  if (entry.previousHash !== previous.hash) return "it does not follow the entry before it";
  return undefined;
}
