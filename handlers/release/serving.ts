import type { ReleaseState, Version } from "./documents.ts";
import type { RecordedRelease, RecordedReleases } from "./recorded-release.ts";
import type { CurrentSettings } from "./settings.ts";

export type Stage = "dev" | "staging";

/** A body as the gate sends it to the model. */
export interface Request {
  readonly contentType: string;
  /** What is asked for, where it is something else. */
  readonly accept?: string;
  readonly body: string;
}

export interface Answer {
  readonly contentType: string;
  readonly body: string;
  readonly ms: number;
}

/** A task's surroundings: the release's own document, the recorded release of this mode, and the settings of now. */
export interface Situation {
  readonly state: ReleaseState;
  readonly recorded: RecordedReleases | undefined;
  readonly settings: CurrentSettings;
  /** Changes parts of the release's document. */
  readonly note: (change: Partial<ReleaseState>) => Promise<ReleaseState>;
}

/** What makes a release of a mode findable again, and how it is asked. */
export type Found = Pick<RecordedRelease, "endpoint" | "made" | "transform">;

export type ShiftOutcome = "running" | "shifted" | "failed";

/** What answers callers now. */
export interface Served {
  readonly modelPackageArn: string;
  readonly made: RecordedRelease["made"];
  /** Throws `ReleaseFailed` for an error of the model. */
  ask(request: Request): Promise<Answer>;
}

/**
 * One way to serve. Everything can be repeated after a crash between any two calls. What takes AWS minutes is begun and throws `NotYet`
 * until it is done.
 */
export interface Serving {
  /** Brings the version up where no caller gets it. */
  deploy(situation: Situation, stage: Stage): Promise<void>;
  /** Undefined where nothing of the version runs before the shift. Throws `ReleaseFailed` for an error of the model. */
  ask(situation: Situation, stage: Stage, request: Request): Promise<Answer | undefined>;
  /**
   * What the program brought up, in modes where it does; undefined where there is nothing. Throws `NotYet` while it starts.
   */
  served?(): Promise<Served | undefined>;
  /** Gives the version this share of the traffic. */
  shift?(situation: Situation, percent: number): Promise<void>;
  /** Has AWS shift the traffic step by step. */
  startShift?(situation: Situation): Promise<void>;
  followShift?(situation: Situation): Promise<ShiftOutcome>;
  /** Turns back at once what can be turned back from outside of the machine, whose own rollback follows. */
  interrupt(situation: Situation): Promise<void>;
  /** Gives all traffic to the recorded version; without one, nothing answers callers any more. */
  giveBack(situation: Situation): Promise<void>;
  /** Ends what tried the version. */
  endTrials(state: ReleaseState): Promise<void>;
  /** How the version that was shifted is found; asks nobody. */
  found(situation: Situation): Found;
  /** Gives all traffic to a version that served before `recorded`. */
  goTo(
    target: { readonly release: RecordedRelease; readonly version: Version },
    recorded: RecordedReleases,
    settings: CurrentSettings,
  ): Promise<Found>;
  /** Deletes what served a release that nobody goes back to at once, unless one of `kept` needs it. */
  discard(release: RecordedRelease, kept: readonly RecordedRelease[]): Promise<void>;
}
