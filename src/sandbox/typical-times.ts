import type { Schema } from "./schema.ts";

const secondsOfAnythingElse = 1;

/** How long AWS typically takes to create a resource of this type, as far as its caller has to wait. */
export function typicalCreateMs(schema: Schema, token: string): number {
  return (schema.resource(token)?.facts.createSecondsTypical ?? secondsOfAnythingElse) * 1000;
}
