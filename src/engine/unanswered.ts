import type { UnansweredStep } from "./pending.ts";
import { parseUrn } from "./phase.ts";
import type { OperationError } from "./protocol.ts";

/** The error of a run that left what nobody will look for. */
export function forgotten(steps: readonly UnansweredStep[]): OperationError {
  const names = steps.map(({ urn }) => `${parseUrn(urn).name} (${parseUrn(urn).type})`);
  return {
    code: "provider_lost",
    message: `The provider's process ended before it had answered for ${names.join(", ")}, and that could not be written down`,
    remedy:
      "Look on AWS for what of these exists, delete what no stack knows, and ask for a repair (docs/recovery.md)",
  };
}
