import type { S3Client } from "@aws-sdk/client-s3";
import Type, { type Static } from "typebox";
import { Value } from "typebox/value";
import type { MonitorKind } from "../../programs/monitor-kinds.ts";
import { PREFIX } from "../../programs/storage-layout.ts";
import { hourPath } from "../captures/capture-keys.ts";
import { readDocument, writeDocument } from "../runtime/documents.ts";
import { firstHalf, nextWindow, type Window } from "./window.ts";

const Moment = Type.String({ pattern: "^\\d{4}-\\d\\d-\\d\\dT\\d\\d:00:00\\.000Z$" });

/** How far a monitor has come, at `monitoring/<kind>/progress.json`. */
const Progress = Type.Object({
  /** End of the last window whose report is complete. */
  through: Type.Optional(Moment),
  /** The window that is being reported on. */
  current: Type.Optional(Type.Object({ from: Moment, to: Moment })),
});
type Progress = Static<typeof Progress>;

/** A window that was begun, and the state of the note of it. */
export interface BegunWindow extends Window {
  readonly etag: string;
}

const folderOf = (kind: MonitorKind) => `${PREFIX.monitoring}${kind}/`;

/** Where the reports of a window are: by its end, as each window ends at another hour. */
export const reportFolder = (kind: MonitorKind, end: Date): string => `${folderOf(kind)}${hourPath(end)}/`;

/** Prefix of the reports whose windows end on this day. */
export const reportDay = (kind: MonitorKind, day: Date): string =>
  `${folderOf(kind)}${hourPath(day).slice(0, "yyyy/mm/dd/".length)}`;

export interface ProgressStore {
  /**
   * Notes the next window. One that was begun and not ended was too much for its time, or failed otherwise: its first half is
   * taken, so that what is left of it is the next window's. Undefined where no hour has settled. Throws `WriteConflict` where
   * somebody else began one meanwhile.
   */
  begin(now: Date): Promise<BegunWindow | undefined>;
  /** The window is reported on. Throws `WriteConflict` where somebody else went on with it. */
  complete(begun: BegunWindow): Promise<void>;
  /** There was too little to report on: the next window begins where this one did. Throws as `complete` does. */
  putOff(begun: BegunWindow): Promise<void>;
}

/** Every change names the state that it changes, so that of two that report on the same window one completes it. */
export function createProgressStore(s3: S3Client, bucket: string, kind: MonitorKind): ProgressStore {
  const place = { bucket, key: `${folderOf(kind)}progress.json` };
  const end = async (through: Date, etag: string) => {
    await writeDocument(s3, place, { through: through.toISOString() } satisfies Progress, { ifMatch: etag });
  };
  return {
    begin: async (now) => {
      const found = await readDocument(s3, place);
      const { through, current }: Progress = found === undefined ? {} : Value.Parse(Progress, found.value);
      const window =
        current === undefined
          ? nextWindow(through === undefined ? undefined : new Date(through), now)
          : firstHalf({ from: new Date(current.from), to: new Date(current.to) });
      if (window === undefined) return undefined;
      const noted = { from: window.from.toISOString(), to: window.to.toISOString() };
      const { etag } = await writeDocument(
        s3,
        place,
        { ...(through !== undefined && { through }), current: noted } satisfies Progress,
        found === undefined ? { ifAbsent: true } : { ifMatch: found.etag },
      );
      return { ...window, etag };
    },
    complete: ({ to, etag }) => end(to, etag),
    putOff: ({ from, etag }) => end(from, etag),
  };
}
