import type { ReleaseState } from "./documents.ts";
import { NotYet } from "./failures.ts";
import { isSameVersion, type RecordedReleases } from "./recorded-release.ts";
import { numberOf, situationOf } from "./situation.ts";
import { holdMinutes, type Surroundings } from "./surroundings.ts";
import { approvedVersion } from "./version.ts";

/** `release`: the machine goes on. Otherwise why there is nothing to do. */
export type PlanOutcome = "release" | "released" | "overtaken" | "under-way";

/**
 * Decides whether a version is released, and takes the place of the one release that may be under way. One that is newer, or the same,
 * ends this one; for an older one it throws `NotYet`, so the machine asks again until that has ended.
 */
export async function plan(
  around: Surroundings,
  { releaseId, modelPackageArn }: { readonly releaseId: string; readonly modelPackageArn: string },
): Promise<PlanOutcome> {
  const { ledger, clients, now } = around;
  const settings = await around.current();
  const recorded = await ledger.recorded();
  const known = await ledger.release(releaseId);
  if (known?.state === "needless") return "released";
  const version = await approvedVersion(clients, modelPackageArn, settings);
  const state = await ledger.begin({
    releaseId,
    state: "waiting",
    askedAt: now().toISOString(),
    recordedWhenAsked: recorded === undefined ? 0 : numberOf(recorded.modelPackageArn),
    version,
  });
  const needless = async (outcome: PlanOutcome) => {
    await ledger.note(releaseId, { state: "needless" });
    await ledger.free(releaseId);
    return outcome;
  };
  const why = reasonAgainst(state, recorded, settings.rollout.mode);
  if (why !== undefined) return needless(why);
  const { mine, hold } = await ledger.claim({ releaseId, modelPackageArn }, holdMinutes(settings));
  if (!mine) {
    const other = numberOf(hold.modelPackageArn);
    if (other === version.number) return needless("under-way");
    if (other > version.number) return needless("overtaken");
    throw new NotYet(`Version ${other} is being released; version ${version.number} comes after it`);
  }
  // Recorded while this one waited.
  const late = reasonAgainst(state, await ledger.recorded(), settings.rollout.mode);
  if (late !== undefined) return needless(late);
  if (hold.inherits) {
    // Whoever was under way died, perhaps halfway: what is recorded gets its traffic back before anything else.
    await around.serving(settings.rollout.mode).giveBack(await situationOf(around, state, settings));
    await ledger.settle(releaseId);
  }
  await ledger.note(releaseId, { state: "trying" });
  return "release";
}

function reasonAgainst(
  { version, recordedWhenAsked }: ReleaseState,
  recorded: RecordedReleases | undefined,
  mode: RecordedReleases["mode"],
): PlanOutcome | undefined {
  if (recorded === undefined) return undefined;
  if (isSameVersion({ mode, modelPackageArn: version.modelPackageArn }, recorded)) return "released";
  const serves = numberOf(recorded.modelPackageArn);
  // Whoever asks for an older version than serves means it; one that became older while it waited is overtaken.
  return serves > version.number && serves > recordedWhenAsked ? "overtaken" : undefined;
}
