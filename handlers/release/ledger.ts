import type { S3Client } from "@aws-sdk/client-s3";
import type { Static, TSchema } from "typebox";
import { Value } from "typebox/value";
import { UNDER_WAY } from "../../programs/storage-layout.ts";
import { readDocument, WriteConflict, writeDocument } from "../runtime/documents.ts";
import { type Hold, ReleaseState, releaseKey, UnderWay } from "./documents.ts";
import { ReleaseFailed } from "./failures.ts";
import { RECORDED_RELEASE, RecordedReleases } from "./recorded-release.ts";

const MINUTE_MS = 60_000;

/** How often a change is tried again that somebody else's came before. */
const ATTEMPTS = 8;

interface Read<T> {
  readonly value: T;
  readonly etag: string;
}

/** What is recorded, who is under way, and how far each release is: three kinds of documents in the models bucket. */
export interface Ledger {
  recorded(): Promise<RecordedReleases | undefined>;
  /** Changes the recorded release; `change` returns undefined to leave it. Asked anew when somebody else's change came first. */
  record(change: (before: RecordedReleases | undefined) => RecordedReleases | undefined): Promise<void>;
  /** Who is under way and alive. */
  holder(): Promise<Hold | undefined>;
  /**
   * Takes the place of whoever is under way where nobody is, or who is has died or is the same, or where `seize` says so. Returns
   * the hold, or the one that stands in the way.
   */
  claim(
    wanted: Pick<Hold, "releaseId" | "modelPackageArn">,
    minutes: number,
    seize?: (other: Hold) => boolean,
  ): Promise<{ readonly mine: boolean; readonly hold: Hold }>;
  /** Confirms a hold, and prolongs it where less than `minutes` are left. Throws `Superseded` where it was lost. */
  keep(releaseId: string, minutes: number): Promise<void>;
  /** What was inherited from a dead holder is in order. */
  settle(releaseId: string): Promise<void>;
  /** Lets the next one in; nothing where the hold is somebody else's. */
  free(releaseId: string): Promise<void>;
  release(releaseId: string): Promise<ReleaseState | undefined>;
  /** Creates a release's document, or returns the one that is there. */
  begin(state: ReleaseState): Promise<ReleaseState>;
  /**
   * Changes parts of a release's document and returns the whole. What depends on the document as it is written over is a function of it, which
   * may throw.
   */
  note(
    releaseId: string,
    change: Partial<ReleaseState> | ((before: ReleaseState) => Partial<ReleaseState>),
  ): Promise<ReleaseState>;
}

export function createLedger(s3: S3Client, bucket: string, now: () => Date): Ledger {
  const read = async <T extends TSchema>(key: string, schema: T): Promise<Read<Static<T>> | undefined> => {
    const found = await readDocument(s3, { bucket, key });
    if (found === undefined) return undefined;
    if (!Value.Check(schema, found.value)) {
      const [problem] = Value.Errors(schema, found.value);
      throw new Error(`s3://${bucket}/${key}${problem?.instancePath}: ${problem?.message}`);
    }
    return { value: found.value as Static<T>, etag: found.etag };
  };

  /** Reads, changes and writes; whoever's write came between is read and heeded. Undefined: nothing is to be written. */
  const change = async <T extends TSchema, Result>(
    key: string,
    schema: T,
    decide: (before: Static<T> | undefined) => { readonly write?: Static<T>; readonly result: Result },
  ): Promise<Result> => {
    for (let attempt = 1; ; attempt++) {
      const found = await read(key, schema);
      const { write, result } = decide(found?.value);
      if (write === undefined) return result;
      try {
        const condition = found === undefined ? ({ ifAbsent: true } as const) : { ifMatch: found.etag };
        await writeDocument(s3, { bucket, key }, write, condition);
        return result;
      } catch (error) {
        if (!(error instanceof WriteConflict) || attempt === ATTEMPTS) throw error;
      }
    }
  };

  const after = (minutes: number) => new Date(now().getTime() + minutes * MINUTE_MS).toISOString();
  const lives = (hold: Hold | null | undefined): hold is Hold =>
    hold !== null && hold !== undefined && new Date(hold.until) > now();
  const lost = (releaseId: string) =>
    new ReleaseFailed("Superseded", `${releaseId} is not the release under way any more`);

  return {
    recorded: async () => (await read(RECORDED_RELEASE, RecordedReleases))?.value,
    record: (decide) =>
      change(RECORDED_RELEASE, RecordedReleases, (before) => {
        const write = decide(before);
        return { ...(write && { write }), result: undefined };
      }),
    holder: async () => {
      const hold = (await read(UNDER_WAY, UnderWay))?.value.hold;
      return lives(hold) ? hold : undefined;
    },
    claim: ({ releaseId, modelPackageArn }, minutes, seize = () => false) =>
      change(UNDER_WAY, UnderWay, (before) => {
        const held = before?.hold ?? undefined;
        const isMine = held?.releaseId === releaseId;
        if (held !== undefined && !isMine && lives(held) && !seize(held)) {
          return { result: { mine: false as boolean, hold: held } };
        }
        const inherits = held !== undefined && (held.inherits || !isMine);
        const hold = { releaseId, modelPackageArn, until: after(minutes), inherits };
        return { write: { hold }, result: { mine: true as boolean, hold } };
      }),
    keep: (releaseId, minutes) =>
      change(UNDER_WAY, UnderWay, (before) => {
        const held = before?.hold;
        if (held?.releaseId !== releaseId) throw lost(releaseId);
        const isEnough = held.until >= after(minutes);
        return {
          ...(!isEnough && { write: { hold: { ...held, until: after(2 * minutes) } } }),
          result: undefined,
        };
      }),
    settle: (releaseId) =>
      change(UNDER_WAY, UnderWay, (before) => {
        const held = before?.hold;
        if (held?.releaseId !== releaseId) throw lost(releaseId);
        return { ...(held.inherits && { write: { hold: { ...held, inherits: false } } }), result: undefined };
      }),
    free: (releaseId) =>
      change(UNDER_WAY, UnderWay, (before) => ({
        ...(before?.hold?.releaseId === releaseId && { write: { hold: null } }),
        result: undefined,
      })),
    release: async (releaseId) => (await read(releaseKey(releaseId), ReleaseState))?.value,
    begin: (state) =>
      change(releaseKey(state.releaseId), ReleaseState, (before) =>
        before === undefined ? { write: state, result: state } : { result: before },
      ),
    note: (releaseId, wanted) =>
      change(releaseKey(releaseId), ReleaseState, (before) => {
        if (before === undefined) {
          throw new ReleaseFailed("Superseded", `There is no release ${releaseId}: it was never planned`);
        }
        const part = typeof wanted === "function" ? wanted(before) : wanted;
        const isFirstSeen = part.state === "shifting" && before.shiftingSince === undefined;
        const write = { ...before, ...part, ...(isFirstSeen && { shiftingSince: now().toISOString() }) };
        return { ...(!Value.Equal(before, write) && { write }), result: write };
      }),
  };
}
