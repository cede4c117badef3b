import { hourOf } from "../captures/capture-keys.ts";

const HOUR_MS = 3_600_000;

/** Captures of an hour may still arrive this long after its end. */
const SETTLE_MS = 15 * 60_000;

/** What the first report covers, as nothing says when watching should have begun. */
const FIRST_HOURS = 24;

/** What was not watched for longer than this is past watching. */
const MOST_HOURS = 31 * 24;

/** How long a window waits until there is enough in it for a figure that means something. */
const MOST_WAIT_HOURS = 7 * 24;

/** Hours that one report covers: `from` is the beginning of the first, `to` the end of the last. */
export interface Window {
  readonly from: Date;
  readonly to: Date;
}

/**
 * What the next report covers: every settled hour since the last one. Undefined while there is none. Every hour is in one window
 * only, whatever time passes between reports, unless more than 31 days do.
 */
export function nextWindow(through: Date | undefined, now: Date): Window | undefined {
  const to = hourOf(new Date(now.getTime() - SETTLE_MS));
  const begin = through?.getTime() ?? to.getTime() - FIRST_HOURS * HOUR_MS;
  const from = new Date(Math.max(begin, to.getTime() - MOST_HOURS * HOUR_MS));
  return from < to ? { from, to } : undefined;
}

/** The window's first half, and at least its first hour. */
export function firstHalf({ from, to }: Window): Window {
  const hours = Math.round((to.getTime() - from.getTime()) / HOUR_MS);
  return { from, to: new Date(from.getTime() + Math.max(1, Math.floor(hours / 2)) * HOUR_MS) };
}

/** Whether a window that has too little in it may wait for more. */
export const mayWait = ({ from, to }: Window): boolean =>
  to.getTime() - from.getTime() < MOST_WAIT_HOURS * HOUR_MS;
