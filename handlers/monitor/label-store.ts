import { createWriteStream } from "node:fs";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { GetObjectCommand, type S3Client } from "@aws-sdk/client-s3";
import type { MonitorKind } from "../../programs/monitor-kinds.ts";
import { hoursBetween } from "../captures/capture-keys.ts";
import { keysBelow, linesBelow } from "../captures/hourly-objects.ts";
import { type Label, labelFolder, parseLabels } from "./labels.ts";
import { reportDay, reportFolder } from "./progress.ts";
import type { Window } from "./window.ts";

/** File of a report that names the labels which it counted. */
export const COUNTED_FILE = "counted.parquet";

const DAY_MS = 24 * 3_600_000;

export interface LabelStore {
  /** The labels of each line that was brought in the window; undefined for a line that is none. */
  brought(window: Window): AsyncGenerator<readonly Label[] | undefined>;
  /** Copies what the reports from the watermark to the window's begin counted into a folder; paths of the files. */
  counted(window: Window, watermark: Date, folder: string): Promise<readonly string[]>;
}

export function createLabelStore(s3: S3Client, bucket: string, kind: MonitorKind): LabelStore {
  return {
    brought: async function* ({ from, to }) {
      for (const hour of hoursBetween(from, to)) {
        for await (const { text } of linesBelow(s3, bucket, labelFolder(hour))) yield parseLabels(text);
      }
    },
    counted: async ({ from }, watermark, folder) => {
      const count = Math.floor((from.getTime() - watermark.getTime()) / DAY_MS) + 2;
      const days = Array.from({ length: count }, (_, day) => new Date(watermark.getTime() + day * DAY_MS));
      const last = `${reportFolder(kind, from)}${COUNTED_FILE}`;
      const keys = await Promise.all(
        days.map(async (day) => {
          const found: string[] = [];
          for await (const key of keysBelow(s3, bucket, reportDay(kind, day))) {
            // A report that ends later is of this window, and was not completed.
            if (key.endsWith(`/${COUNTED_FILE}`) && key <= last) found.push(key);
          }
          return found;
        }),
      );
      const files: string[] = [];
      for (const key of keys.flat()) {
        const file = join(folder, `counted-${files.length}.parquet`);
        await download(s3, bucket, key, file);
        files.push(file);
      }
      return files;
    },
  };
}

async function download(s3: S3Client, bucket: string, key: string, file: string): Promise<void> {
  const { Body: body } = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
  await pipeline(Readable.from((body ?? []) as AsyncIterable<Uint8Array>), createWriteStream(file));
}
