import * as pulumi from "@pulumi/pulumi";
import type { EngineEvent as PulumiEvent, PulumiFn, Stack } from "@pulumi/pulumi/automation/index.js";
import { nameOf, type Sparing, spare } from "../drift/sparing.ts";
import type { Redact } from "../redaction.ts";
import type { ApprovalGate, ApprovalReason, SparedDrift, SpareRequest } from "./protocol.ts";
import { translator } from "./translate.ts";

/** What the engine is told so that it leaves what a reconciliation spares. */
export interface SparedOptions {
  readonly exclude?: string[];
  readonly excludeDependents?: boolean;
}

/** Looks for drift at the begin of a reconciliation, and decides by what it finds what is left as it is. */
export async function findSpared(
  stack: Stack,
  request: SpareRequest,
  redact: Redact,
  options: { readonly signal: AbortSignal },
): Promise<{ readonly sparing: Sparing; readonly drift: SparedDrift; readonly options: SparedOptions }> {
  const events = translator("drift", redact);
  await stack.previewRefresh({
    ...options,
    runProgram: false,
    onEvent: (event: PulumiEvent) => void events.translate(event),
  });
  const { steps } = events.findings();
  const sparing = spare(steps, request);
  return {
    sparing,
    drift: {
      steps,
      kept: sparing.kept.map(({ urn, path }) => ({ urn, path })),
      excluded: sparing.exclude,
    },
    options:
      sparing.exclude.length === 0
        ? {}
        : { exclude: [...sparing.exclude], excludeDependents: sparing.excludeDependents },
  };
}

/** The gate of a reconciliation that would make anew what data went with: nobody may think later that it was still there. */
export function gateOfLosses(gate: ApprovalGate | undefined, { losses }: Sparing): ApprovalGate | undefined {
  if (losses.length === 0) return gate;
  const reason: ApprovalReason = {
    code: "data_loss",
    message: "The data of these resources is gone: they would be made anew, empty",
    resources: losses.map(({ urn, type, name }) => ({ urn, type, name })),
  };
  return { firstCreation: false, ...gate, reasons: [...(gate?.reasons ?? []), reason] };
}

/** The program, with the inputs that are to stay as they are left to the state, which a refresh has taken over from AWS. */
export function sparingProgram(program: PulumiFn, sparing: () => Sparing | undefined): PulumiFn {
  return async () => {
    const ignore = sparing()?.ignore;
    if (ignore !== undefined && ignore.size > 0) {
      pulumi.runtime.registerStackTransformation(({ type, name, props, opts }) => {
        const inputs = ignore.get(nameOf({ type, name }));
        if (inputs === undefined) return undefined;
        return { props, opts: pulumi.mergeOptions(opts, { ignoreChanges: [...inputs] }) };
      });
    }
    return program();
  };
}
