import type { ReleaseState } from "./documents.ts";
import type { Situation } from "./serving.ts";
import type { CurrentSettings } from "./settings.ts";
import type { Surroundings } from "./surroundings.ts";

/** Number of a version in its group: what an ARN ends with. */
export const numberOf = (modelPackageArn: string) => Number(modelPackageArn.split("/").at(-1));

/** What a task works from. What was recorded in another serving mode is nothing that this one could give traffic back to. */
export async function situationOf(
  { ledger }: Pick<Surroundings, "ledger">,
  state: ReleaseState,
  settings: CurrentSettings,
): Promise<Situation> {
  const recorded = await ledger.recorded();
  return {
    state,
    settings,
    recorded: recorded?.mode === settings.rollout.mode ? recorded : undefined,
    note: (change) => ledger.note(state.releaseId, change),
  };
}
