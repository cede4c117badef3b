import { shortHash } from "../../programs/names.ts";
import type { ReleaseState } from "./documents.ts";
import type { Rollback } from "./event.ts";
import { NotYet, ReleaseFailed } from "./failures.ts";
import { patiently } from "./patience.ts";
import { type RecordedRelease, type RecordedReleases, withoutLast } from "./recorded-release.ts";
import type { Serving } from "./serving.ts";
import type { CurrentSettings } from "./settings.ts";
import { numberOf, situationOf } from "./situation.ts";
import type { Surroundings } from "./surroundings.ts";
import { approvedVersion } from "./version.ts";
import { ringingAlarms } from "./watching.ts";
import { isAboutWhatServes } from "./whose-alarm.ts";

/** Longer than the function lives. */
const HOLD_MINUTES = 20;

export type RollbackOutcome =
  /** The earlier release serves again. */
  | "rolled-back"
  /** The release that is under way was taken back; its machine does the rest. */
  | "condemned"
  /** It concerns what doesn't serve any more, or there is nothing left to go back to, of which people are told. */
  | "nothing";

/**
 * Takes back the release that is shifting, or gives all traffic to a release before the recorded one. An alarm does that once: when the
 * earlier release fails too, the cause is elsewhere, and going on would walk through all of them.
 */
export async function rollBackRelease(around: Surroundings, event: Rollback): Promise<RollbackOutcome> {
  const { ledger } = around;
  const settings = await around.current();
  const serving = around.serving(settings.rollout.mode);
  const holder = await ledger.holder();
  const underWay = holder && (await ledger.release(holder.releaseId));
  const condemned = underWay?.state === "shifting" && (await condemn(around, underWay.releaseId, event));
  if (condemned) {
    await serving.interrupt(await situationOf(around, condemned, settings));
    return "condemned";
  }
  const recorded = await ledger.recorded();
  if (recorded === undefined || recorded.mode !== settings.rollout.mode) return "nothing";
  if (event.trigger === "alarm") {
    if (!isAboutWhatServes(event.at, recorded, await ledger.release(recorded.releaseId))) {
      return heedLate(around, recorded);
    }
    if (recorded.by === "alarm") return giveUp(around, recorded, "it came back itself because an alarm rang");
  }
  const wanted = event.trigger === "person" ? event.modelPackageArn : undefined;
  // Asked again for what is done.
  if (wanted === recorded.modelPackageArn) return "nothing";
  const target = earlierRelease(recorded, wanted);
  if (target === undefined) return giveUp(around, recorded, "none is recorded before it");
  const claimed = await ledger.claim(
    {
      releaseId: `rollback-${shortHash(recorded.releaseId, recorded.recordedAt, target.modelPackageArn)}`,
      modelPackageArn: target.modelPackageArn,
    },
    HOLD_MINUTES,
    // What is only being tried gives way: callers are worse off than it is.
    (other) => other.releaseId === underWay?.releaseId,
  );
  if (!claimed.mine) throw new NotYet(`${claimed.hold.releaseId} is under way`);
  await returnTo(around, serving, { recorded, settings, by: event.trigger, target });
  await ledger.free(claimed.hold.releaseId);
  return "rolled-back";
}

/** Takes back a release that is shifting. Undefined where it has ended meanwhile: then it is what is recorded, or was taken back. */
async function condemn(
  { ledger, now }: Surroundings,
  releaseId: string,
  event: Rollback,
): Promise<ReleaseState | undefined> {
  const why = event.trigger === "alarm" ? `the alarm ${event.alarm} rings` : "somebody asked for it";
  const condemned = { by: event.trigger, why, at: now().toISOString() };
  const after = await ledger.note(releaseId, ({ state }) => (state === "shifting" ? { condemned } : {}));
  return after.state === "shifting" ? after : undefined;
}

/**
 * An alarm that began before what serves had all of the traffic. It is over, or about what was taken back; but where a person went back while it
 * rang and it goes on ringing, no second event comes.
 */
async function heedLate(around: Surroundings, recorded: RecordedReleases): Promise<"nothing"> {
  const { clients, place } = around;
  if (recorded.by !== "person" || (await ringingAlarms(clients.cloudWatch, place)).length === 0)
    return "nothing";
  return giveUp(around, recorded, "a person went back to it while an alarm rang, which goes on ringing");
}

/** The newest earlier one of the same mode, or the one that is asked for. */
function earlierRelease(
  { earlier, mode }: RecordedReleases,
  modelPackageArn: string | undefined,
): RecordedRelease | undefined {
  return earlier.find(
    (each) =>
      each.mode === mode && (modelPackageArn === undefined || each.modelPackageArn === modelPackageArn),
  );
}

export interface Return {
  readonly recorded: RecordedReleases;
  readonly settings: CurrentSettings;
  readonly by: "alarm" | "person";
  readonly target?: RecordedRelease;
}

/** Brings an earlier release back, records it and tells people. Throws `NoWayBack` where there is none. */
export async function returnTo(around: Surroundings, serving: Serving, way: Return): Promise<void> {
  const { ledger, clients, alerts, now } = around;
  const { recorded, settings, by, target = earlierRelease(recorded, undefined) } = way;
  if (target === undefined)
    throw new ReleaseFailed("NoWayBack", `Nothing is recorded before ${recorded.modelPackageArn}`);
  const version = await approvedVersion(clients, target.modelPackageArn, settings);
  const found = await patiently(around, () => serving.goTo({ release: target, version }, recorded, settings));
  const back: RecordedRelease = { ...target, ...found };
  await ledger.record((before) =>
    before?.recordedAt === recorded.recordedAt ? withoutLast(back, before, by, now()) : undefined,
  );
  await alerts.publish("critical", {
    code: "release_rolled_back",
    title: `Version ${numberOf(recorded.modelPackageArn)} was rolled back to ${numberOf(target.modelPackageArn)}`,
    detail: { from: recorded.modelPackageArn, to: target.modelPackageArn, by },
    remedy:
      "Find out why before the next release: what was rolled back is not among the recorded ones any more",
  });
}

async function giveUp({ alerts }: Surroundings, recorded: RecordedReleases, why: string): Promise<"nothing"> {
  const number = numberOf(recorded.modelPackageArn);
  await alerts.publish("critical", {
    code: "no_release_to_go_back_to",
    title: `Version ${number} fails and can't be rolled back: ${why}`,
    detail: { modelPackageArn: recorded.modelPackageArn },
    remedy: "Look at what serves and at what it depends on, or release another version",
  });
  return "nothing";
}
