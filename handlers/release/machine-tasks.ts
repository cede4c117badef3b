import type { S3Client } from "@aws-sdk/client-s3";
import { endpointNames } from "../../programs/serving/endpoints.ts";
import { TransformError } from "../features/parameters.ts";
import { readTransform, transformKey } from "../features/transform-store.ts";
import { targetColumn } from "../runtime/target-column.ts";
import type { ReleaseState, Version } from "./documents.ts";
import type { MachineTask } from "./event.ts";
import { ReleaseFailed } from "./failures.ts";
import { plan } from "./plan.ts";
import { isUntried, type RecordedRelease, withRelease } from "./recorded-release.ts";
import { returnTo } from "./rollback.ts";
import { plainSample, recordedSamples, type Sample } from "./samples.ts";
import type { Serving, ShiftOutcome, Situation } from "./serving.ts";
import type { CurrentSettings, Place } from "./settings.ts";
import { situationOf } from "./situation.ts";
import { holdMinutes, type Surroundings } from "./surroundings.ts";
import { samplesOf, tryVersion } from "./trial.ts";
import { refuseFailing, refuseWhileRinging } from "./watching.ts";

/** What the machine reads of a task's answer. */
export interface TaskAnswer {
  readonly outcome: string;
}

const DONE: TaskAnswer = { outcome: "done" };

/** Does a task of the machine. Each may be repeated after a crash between any two of its calls. */
export async function runTask(around: Surroundings, event: MachineTask): Promise<TaskAnswer> {
  if (event.task === "plan") return { outcome: await plan(around, event) };
  const settings = await around.current();
  const state = await around.ledger.release(event.releaseId);
  if (state === undefined) throw new ReleaseFailed("Superseded", `${event.releaseId} was never planned`);
  const situation = await situationOf(around, state, settings);
  const serving = around.serving(settings.rollout.mode);
  if (event.task === "roll-back") {
    await (event.scope === "trials" ? withdraw : rollBack)(around, serving, situation);
    return DONE;
  }
  // Asked again for what is done, but perhaps for letting the next one in.
  if (event.task === "record" && state.state === "recorded") {
    await around.ledger.free(event.releaseId);
    return DONE;
  }
  await around.ledger.keep(event.releaseId, holdMinutes(settings));
  refuseCondemned(state);
  switch (event.task) {
    case "deploy":
      await serving.deploy(situation, event.stage);
      return DONE;
    case "test":
      await tryVersion(
        samplesOf(event.stage, await samplesFor(around, { version: state.version, settings })),
        (request) => serving.ask(situation, event.stage, request),
        settings.thresholds.apiLatencyMs,
      );
      return DONE;
    case "shift":
      // Nothing more is given to a version while the traffic has trouble, nor is anything begun.
      await refuseWhileRinging(around.clients.cloudWatch, around.place);
      await serving.shift?.(situation, event.percent);
      return DONE;
    case "watch":
      await watch(around, situation, event.minutes);
      return DONE;
    case "start-shift":
      if (state.state === "trying") await refuseWhileRinging(around.clients.cloudWatch, around.place);
      await serving.startShift?.(situation);
      return DONE;
    case "follow-shift":
      return { outcome: (await serving.followShift?.(situation)) ?? ("failed" satisfies ShiftOutcome) };
    case "record":
      await record(around, serving, situation);
      return DONE;
  }
}

function refuseCondemned({ condemned }: ReleaseState): void {
  if (condemned === undefined) return;
  throw new ReleaseFailed("Condemned", `Taken back by ${condemned.by}: ${condemned.why}`);
}

/** What the version's evaluation recorded, or else one request that the data set allows. */
export async function samplesFor(
  { clients, place, settings }: Surroundings,
  { version, settings: { columns } }: { readonly version: Version; readonly settings: CurrentSettings },
): Promise<readonly Sample[]> {
  const { execution, transform: digest } = version;
  // Read whatever is asked: without it the gate could ask nothing.
  const transform = digest === undefined ? undefined : await transformOf(clients.s3, place, digest);
  const recorded = await recordedSamples(clients.s3, place.modelsBucket, execution);
  if (recorded !== undefined && recorded.length > 0) return recorded;
  return [plainSample(columns, await targetColumn(settings, columns), transform)];
}

async function transformOf(s3: S3Client, { modelsBucket }: Place, digest: string) {
  const found = await readTransform(s3, modelsBucket, digest).catch((cause: unknown) => {
    if (!(cause instanceof TransformError)) throw cause;
    throw new ReleaseFailed("TestsFailed", `${cause.message}: train the version anew`, { cause });
  });
  if (found !== undefined) return found;
  throw new ReleaseFailed("TestsFailed", `There is no ${transformKey(digest)}: train the version anew`);
}

async function watch(
  { clients, place, now }: Surroundings,
  situation: Situation,
  minutes: number,
): Promise<void> {
  await refuseWhileRinging(clients.cloudWatch, place);
  const { recorded, settings } = situation;
  const to = now();
  const isOurs = (name: string) => name !== recorded?.endpoint?.name;
  for (const name of endpointNames("serverless", place).filter(isOurs)) {
    await refuseFailing(clients.cloudWatch, name, {
      from: new Date(to.getTime() - minutes * 60_000),
      to,
      errorFraction: settings.thresholds.apiErrorFraction,
    });
  }
}

/** How many of the earlier releases stay as they are, so that the way back is short. */
const KEPT_AS_MADE = 1;
/** Of those before, a few at a time: one falls out with each release. */
const DISCARDED = 3;

/**
 * Ends a release well. An alarm that rings by now refuses it; one that begins afterwards is an event, which condemns the release until its document
 * says that it is recorded, and takes the recorded one back from then on.
 */
async function record(around: Surroundings, serving: Serving, situation: Situation): Promise<void> {
  const { ledger, now, alerts, clients, place } = around;
  const { state, settings } = situation;
  const { releaseId, version, servedBefore } = state;
  const { mode } = settings.rollout;
  await refuseWhileRinging(clients.cloudWatch, place);
  // By the situation before: afterwards the endpoint that was free is the one that serves.
  const found = serving.found(situation);
  await ledger.record((before) => {
    if (before?.releaseId === releaseId) return undefined;
    const next: RecordedRelease = {
      releaseId,
      mode,
      modelPackageArn: version.modelPackageArn,
      imageDigest: version.imageDigest,
      ...found,
      recordedAt: now().toISOString(),
      by: "release",
    };
    return withRelease(next, before && { ...before, made: madeOf(before, mode, servedBefore) });
  });
  await serving.endTrials(state);
  await tidy(around, serving, situation);
  if (isUntried(found)) {
    await alerts.publish("warning", {
      code: "release_needs_update",
      title: `Version ${version.number} is recorded and nothing serves it yet`,
      detail: { modelPackageArn: version.modelPackageArn, imageDigest: version.imageDigest, mode },
      remedy:
        "Record the release with the service: the update that follows brings it up, and then it is tried",
    });
  }
  await ledger.note(releaseId, (before) => {
    refuseCondemned(before);
    return { state: "recorded" };
  });
  await ledger.free(releaseId);
}

/** What nobody goes back to is deleted. The version serves and is recorded: a leftover is nothing to take it back for. */
async function tidy(
  { ledger, telemetry }: Surroundings,
  serving: Serving,
  { state, settings }: Situation,
): Promise<void> {
  const recorded = await ledger.recorded();
  if (recorded === undefined) return;
  const kept = [recorded, ...recorded.earlier.slice(0, KEPT_AS_MADE)];
  const old = recorded.earlier.slice(KEPT_AS_MADE, KEPT_AS_MADE + DISCARDED);
  const trial = state.trial && { ...recorded, made: state.trial };
  for (const release of [...old, ...(trial ? [trial] : [])]) {
    if (release.mode !== settings.rollout.mode) continue;
    try {
      await serving.discard(release, kept);
    } catch (error) {
      telemetry.logger.warn("Something of an older release could not be deleted", error as Error);
    }
  }
}

/** The program, not a release, brought the first version of a function or task up: which it was is known once it is replaced. */
function madeOf(
  { made, mode }: RecordedRelease,
  now: RecordedRelease["mode"],
  servedBefore: string | undefined,
): RecordedRelease["made"] {
  if (mode !== now || servedBefore === undefined) return made;
  if (mode === "lambda") return { functionVersion: servedBefore, ...made };
  return mode === "ecs" ? { taskDefinitionArn: servedBefore, ...made } : made;
}

/** Callers have seen nothing of the version: what tried it ends, and what serves stays. */
async function withdraw(around: Surroundings, serving: Serving, { state }: Situation): Promise<void> {
  if (state.state === "withdrawn") return;
  await endTrials(around, serving, state);
  await around.ledger.note(state.releaseId, { state: "withdrawn" });
  await around.ledger.free(state.releaseId);
}

/** All traffic goes back to what is recorded; where that is this very release, to the one before. */
async function rollBack(around: Surroundings, serving: Serving, situation: Situation): Promise<void> {
  const { ledger } = around;
  const { state, recorded, settings } = situation;
  if (state.state === "rolled-back") return;
  const holder = await ledger.holder();
  // Whoever took this release's place has seen to the traffic.
  if (holder === undefined || holder.releaseId === state.releaseId) {
    if (recorded?.releaseId !== state.releaseId) await giveBack(around, serving, situation);
    else await returnTo(around, serving, { recorded, settings, by: state.condemned?.by ?? "alarm" });
  }
  await endTrials(around, serving, state);
  await ledger.note(state.releaseId, { state: "rolled-back" });
  await ledger.free(state.releaseId);
}

/** What is recorded has all of the traffic again: alarms that began before are about the release that had some of it. */
async function giveBack(
  { ledger, now }: Surroundings,
  serving: Serving,
  situation: Situation,
): Promise<void> {
  await serving.giveBack(situation);
  const returned = situation.recorded;
  await ledger.record((before) =>
    returned !== undefined && before?.recordedAt === returned.recordedAt
      ? { ...before, returnedAt: now().toISOString() }
      : undefined,
  );
}

/** The same version is tried on endpoints from the same configuration, whoever releases it. */
async function endTrials({ ledger }: Surroundings, serving: Serving, state: ReleaseState): Promise<void> {
  const holder = await ledger.holder();
  const isTriedByAnother =
    holder?.modelPackageArn === state.version.modelPackageArn && holder.releaseId !== state.releaseId;
  if (!isTriedByAnother) await serving.endTrials(state);
}
