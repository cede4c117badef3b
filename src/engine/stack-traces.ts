import { Resource } from "@pulumi/pulumi";

/**
 * Keeps the SDK from recording where its promises and resources were made: half of a program's time, for traces that nobody
 * reads. Of what a program throws, the diagnostics keep the message. For processes that do nothing but run programs.
 */
export function forgetStackTraces(): void {
  Error.stackTraceLimit = 0;
  // For the position of each resource in the source, which it hands to the engine, the SDK lifts that limit again.
  Object.assign(Resource, { callsites: () => [] });
}
