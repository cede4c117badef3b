import { ReleaseFailed } from "./failures.ts";
import { samplesFor } from "./machine-tasks.ts";
import { patiently } from "./patience.ts";
import { isUntried } from "./recorded-release.ts";
import type { Served } from "./serving.ts";
import type { CurrentSettings } from "./settings.ts";
import type { Surroundings } from "./surroundings.ts";
import { tryVersion } from "./trial.ts";
import { approvedVersion } from "./version.ts";

export type TrialOutcome =
  /** It answers as it should. */
  | "tried"
  /** It doesn't, of which people are told: nothing serves that it could be taken back to. */
  | "failed"
  /** Nothing serves yet, or a release tried what does. */
  | "nothing";

/**
 * Tries what an update of the pipeline brought up: the first version of a function or of tasks, which nothing could try before. What
 * passes is recorded with how it is found in AWS, like what a release brought.
 */
export async function tryWhatServes(around: Surroundings): Promise<TrialOutcome> {
  const { alerts, ledger, telemetry } = around;
  const settings = await around.current();
  const { mode } = settings.rollout;
  const recorded = await ledger.recorded();
  if (recorded?.mode === mode && !isUntried(recorded)) return "nothing";
  const serving = around.serving(mode);
  const served = await patiently(around, async () => serving.served?.());
  if (served === undefined) return "nothing";
  try {
    await tryServed(around, served, settings);
  } catch (error) {
    if (!(error instanceof ReleaseFailed)) throw error;
    telemetry.logger.error("What an update brought up fails its tests", error);
    await alerts.publish("critical", {
      code: "first_release_fails",
      title: "The first version that serves fails its tests, and callers get its answers",
      detail: { modelPackageArn: served.modelPackageArn, error: error.name, reason: error.message },
      remedy:
        "Record another version with the service, or none: nothing serves that it could be taken back to",
    });
    return "failed";
  }
  await ledger.record((before) =>
    before?.modelPackageArn === served.modelPackageArn && isUntried(before)
      ? { ...before, made: served.made }
      : undefined,
  );
  return "tried";
}

async function tryServed(
  around: Surroundings,
  { modelPackageArn, ask }: Served,
  settings: CurrentSettings,
): Promise<void> {
  const version = await approvedVersion(around.clients, modelPackageArn, settings);
  const samples = await samplesFor(around, { version, settings });
  await tryVersion(samples, ask, settings.thresholds.apiLatencyMs);
}
