import { PREFIX } from "../../programs/storage-layout.ts";

const HOUR_MS = 3_600_000;

/** `yyyy/mm/dd/hh` in UTC, as data capture names its folders. */
export const hourPath = (at: Date): string => at.toISOString().slice(0, 13).replace(/[-T]/g, "/");

/** Beginning of the hour. */
export const hourOf = (at: Date): Date => new Date(Math.floor(at.getTime() / HOUR_MS) * HOUR_MS);

/** Beginnings of the hours from `from` to before `to`, both beginnings of hours themselves. */
export function hoursBetween(from: Date, to: Date): Date[] {
  const count = Math.max(0, Math.round((to.getTime() - from.getTime()) / HOUR_MS));
  return Array.from({ length: count }, (_, index) => new Date(from.getTime() + index * HOUR_MS));
}

/** Who answered: an endpoint and its variant, or what takes an endpoint's place in the other modes. */
export interface CaptureSource {
  readonly endpoint: string;
  readonly variant: string;
}

/** Folder of an hour's captures, with the slash that ends it: `captures/<endpoint>/<variant>/yyyy/mm/dd/hh/`. */
export const captureFolder = ({ endpoint, variant }: CaptureSource, at: Date): string =>
  `${PREFIX.captures}${endpoint}/${variant}/${hourPath(at)}/`;

/** Where the captures that one writer keeps together belong; the same `name` is the same object. */
export const captureKey = (source: CaptureSource, at: Date, name: string): string =>
  `${captureFolder(source, at)}${name}.jsonl`;
