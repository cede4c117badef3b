import { randomBytes } from "node:crypto";

const VERSION_7 = /^([0-9a-f]{8})-([0-9a-f]{4})-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/i;

/**
 * A new name for a request: a UUID of version 7 (RFC 9562, section 5.7), which tells the millisecond. By it the monitor finds
 * the hour in which a labelled prediction was captured, instead of looking through all of them.
 */
export function newInferenceId(at: Date): string {
  const bytes = randomBytes(16);
  bytes.writeUIntBE(at.getTime(), 0, 6);
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x70, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  return bytes.toString("hex").replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

/** When a request of this id was made, or undefined where its id doesn't say. */
export function inferenceMoment(id: string): Date | undefined {
  const [, high, low] = VERSION_7.exec(id) ?? [];
  return high === undefined || low === undefined ? undefined : new Date(Number.parseInt(high + low, 16));
}
