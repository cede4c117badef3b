import type { EngineEvent as PulumiEvent } from "@pulumi/pulumi/automation/index.js";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Action } from "../../../src/engine/protocol.ts";
import { translator } from "../../../src/engine/translate.ts";
import { masked, redactor } from "../../../src/redaction.ts";

const prefix = "urn:pulumi:ml.churn::aidlc-pipeline";
const bucket = `${prefix}::aidlc:phase:Infrastructure$aws:s3/bucket:Bucket::raw`;
const topic = `${prefix}::aidlc:phase:Learning$aws:sns/topic:Topic::alerts`;
const component = `${prefix}::aidlc:phase:Infrastructure::infrastructure`;
const stack = `${prefix}::pulumi:pulumi:Stack::aidlc-pipeline-ml.churn`;
const secret = { "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", ciphertext: "v1:x" };

type Part = Partial<PulumiEvent>;
interface Metadata {
  readonly op: string;
  readonly urn: string;
  readonly old?: object;
  readonly new?: object;
  readonly detailedDiff?: object;
}

const pre = (metadata: Metadata) => ({ resourcePreEvent: { metadata } }) as unknown as Part;
const done = (metadata: Metadata) => ({ resOutputsEvent: { metadata } }) as unknown as Part;
const failed = (metadata: Metadata) => ({ resOpFailedEvent: { metadata } }) as unknown as Part;
const diagnostic = (event: object) => ({ diagnosticEvent: { color: "never", ...event } }) as unknown as Part;
const summary = (event: object = {}) =>
  ({ summaryEvent: { durationSeconds: 2, resourceChanges: {}, ...event } }) as unknown as Part;

function run(action: Action, events: readonly Part[]) {
  const events_ = translator(action, redactor(["correct-horse-battery"]));
  const translated = events.map((event) => events_.translate(event as PulumiEvent));
  return { translated, ...events_.findings() };
}

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["Date"], now: new Date("2026-01-31T12:00:00Z") });
});

afterEach(() => {
  vi.useRealTimers();
});

describe("resource events", () => {
  it("carry the resource's type, name and phase", () => {
    const { translated } = run("update", [pre({ op: "create", urn: bucket })]);
    expect(translated).toEqual([
      {
        at: new Date("2026-01-31T12:00:00Z"),
        phase: "infrastructure",
        event: {
          type: "resource",
          status: "started",
          action: "create",
          urn: bucket,
          resourceType: "aws:s3/bucket:Bucket",
          name: "raw",
        },
      },
    ]);
  });

  it("measure from the start of a step to its end, each resource by itself", () => {
    const events = translator("update", redactor([]));
    const at = (second: number, event: Part) => {
      vi.setSystemTime(new Date(Date.UTC(2026, 0, 31, 12, 0, second)));
      return events.translate(event as PulumiEvent)?.event;
    };
    at(0, pre({ op: "create", urn: bucket }));
    at(2, pre({ op: "create", urn: topic }));
    expect(at(5, done({ op: "create", urn: bucket }))).toMatchObject({ status: "done", durationMs: 5000 });
    expect(at(6, failed({ op: "create", urn: topic }))).toMatchObject({ status: "failed", durationMs: 4000 });
  });

  it.each(["same", "read", "refresh", "read-replacement", "discard"])(
    "stay silent about %s, which changes nothing",
    (op) => {
      const { translated } = run("update", [pre({ op, urn: bucket }), done({ op, urn: bucket })]);
      expect(translated).toEqual([undefined, undefined]);
    },
  );

  it("tell a failure even of a step that is silent otherwise", () => {
    const { translated } = run("refresh", [failed({ op: "refresh", urn: bucket })]);
    expect(translated[0]?.event).toMatchObject({ status: "failed", action: "refresh" });
  });

  it("have no phase where the resource stands outside the five", () => {
    const { translated } = run("update", [pre({ op: "create", urn: stack })]);
    expect(translated[0]).not.toHaveProperty("phase");
  });
});

describe("property changes", () => {
  const step = (over: Partial<Metadata> = {}): Metadata => ({
    op: "update",
    urn: bucket,
    old: { id: "raw-1", inputs: { tags: { team: "ml" } }, outputs: { tags: { team: "ops" }, arn: "a" } },
    new: { id: "raw-1", inputs: { tags: { team: "data" } }, outputs: { arn: "b" } },
    detailedDiff: { "tags.team": { diffKind: "update", inputDiff: true } },
    ...over,
  });
  const changesOf = (metadata: Metadata) => run("preview", [pre(metadata)]).steps[0]?.changes;

  it("are resolved to the values before and after", () => {
    expect(changesOf(step())).toEqual([{ path: "tags.team", kind: "update", before: "ml", after: "data" }]);
  });

  it("compare with what the provider answered when the difference is not one of inputs", () => {
    const detailedDiff = { "tags.team": { diffKind: "update", inputDiff: false } };
    expect(changesOf(step({ detailedDiff }))).toEqual([
      { path: "tags.team", kind: "update", before: "ops", after: "data" },
    ]);
  });

  it("have no value before what is added, and none after what is deleted", () => {
    const detailedDiff = {
      "tags.team": { diffKind: "delete", inputDiff: true },
      "tags.cost": { diffKind: "add", inputDiff: true },
    };
    const after = { inputs: { tags: { cost: "1" } }, outputs: {} };
    expect(changesOf(step({ detailedDiff, new: after }))).toEqual([
      { path: "tags.team", kind: "delete", before: "ml" },
      { path: "tags.cost", kind: "add", after: "1" },
    ]);
  });

  it("mask secrets on both sides", () => {
    const sides = { inputs: { password: secret, note: "correct-horse-battery" }, outputs: {} };
    const detailedDiff = {
      password: { diffKind: "update", inputDiff: true },
      note: { diffKind: "update", inputDiff: true },
    };
    const changes = changesOf(step({ old: { id: "1", ...sides }, new: { id: "1", ...sides }, detailedDiff }));
    expect(changes).toEqual([
      { path: "password", kind: "update", before: masked, after: masked },
      { path: "note", kind: "update", before: masked, after: masked },
    ]);
  });
});

describe("a preview", () => {
  it("plans what it would do to resources of AWS, not to components or the stack", () => {
    const { steps, changes } = run("preview", [
      pre({ op: "create", urn: stack }),
      pre({ op: "create", urn: component }),
      pre({ op: "create", urn: bucket }),
      done({ op: "create", urn: bucket }),
    ]);
    expect(steps.map((step) => [step.action, step.name])).toEqual([["create", "raw"]]);
    expect(changes).toEqual({ create: 1 });
  });

  it("counts what stays the same, but doesn't plan it", () => {
    const { steps, changes } = run("preview", [
      pre({ op: "same", urn: bucket }),
      pre({ op: "update", urn: topic }),
    ]);
    expect(steps.map((step) => step.name)).toEqual(["alerts"]);
    expect(changes).toEqual({ same: 1, update: 1 });
  });

  const detailedDiff = { bucket: { diffKind: "update-replace", inputDiff: true } };
  const old = { id: "raw-1", inputs: { bucket: "a" }, outputs: {} };
  const replacing = {
    op: "create-replacement",
    urn: bucket,
    old,
    new: { inputs: { bucket: "b" }, outputs: {} },
    detailedDiff,
  };
  const parts = [replacing, { ...replacing, op: "replace" }, { op: "delete-replaced", urn: bucket, old }];

  it.each([
    ["creates before it deletes", parts],
    ["deletes before it creates", [...parts].reverse()],
  ])("shows a replacement that %s as one step with the property that forces it", (_, order) => {
    const { steps, changes } = run("preview", order.map(pre));
    expect(steps).toEqual([
      expect.objectContaining({
        action: "replace",
        awsId: "raw-1",
        changes: [{ path: "bucket", kind: "update-replace", before: "a", after: "b" }],
      }),
    ]);
    expect(changes).toEqual({ replace: 1 });
  });
});

describe("a drift check", () => {
  it("finds what was read to be different, with what stands in the state and what exists", () => {
    const drifted = {
      op: "update",
      urn: bucket,
      old: { id: "raw-1", inputs: { versioning: true }, outputs: { versioning: true } },
      new: { id: "raw-1", inputs: { versioning: false }, outputs: { versioning: false } },
      detailedDiff: { versioning: { diffKind: "update", inputDiff: true } },
    };
    const { steps, changes } = run("drift", [pre({ op: "refresh", urn: bucket }), done(drifted)]);
    expect(steps).toEqual([
      {
        action: "update",
        urn: bucket,
        type: "aws:s3/bucket:Bucket",
        name: "raw",
        phase: "infrastructure",
        awsId: "raw-1",
        changes: [{ path: "versioning", kind: "update", before: true, after: false }],
      },
    ]);
    expect(changes).toEqual({ update: 1 });
  });

  it("isn't hidden by the program, for which nothing changed", () => {
    const drifted = { op: "update", urn: bucket, detailedDiff: {} };
    expect(run("drift", [done(drifted), done({ op: "same", urn: bucket })]).changes).toEqual({ update: 1 });
  });

  it("finds nothing where everything is as the state says", () => {
    const { steps, changes } = run("drift", [
      done({ op: "refresh", urn: bucket }),
      done({ op: "same", urn: bucket }),
    ]);
    expect(steps).toEqual([]);
    expect(changes).toEqual({ same: 1 });
  });
});

describe("an update", () => {
  it("counts only what was done: a step that began and failed is none", () => {
    const { changes, steps } = run("update", [
      pre({ op: "create", urn: bucket }),
      done({ op: "create", urn: bucket }),
      pre({ op: "create", urn: topic }),
      failed({ op: "create", urn: topic }),
      summary(),
    ]);
    expect(changes).toEqual({ create: 1 });
    expect(steps).toEqual([]);
  });

  it("sums up at the end with the engine's own time", () => {
    const { translated } = run("update", [
      done({ op: "create", urn: bucket }),
      summary({ durationSeconds: 7 }),
    ]);
    expect(translated[1]?.event).toEqual({ type: "summary", changes: { create: 1 }, durationMs: 7000 });
  });
});

describe("diagnostics", () => {
  it("keep errors and warnings without the engine's colours, secrets masked", () => {
    const { translated, errors } = run("update", [
      diagnostic({
        severity: "error",
        urn: bucket,
        message: "<{%fg 1%}>error: <{%reset%}>key AKIAIOSFODNN7EXAMPLE\n",
      }),
      diagnostic({ severity: "warning", message: "correct-horse-battery is weak" }),
    ]);
    expect(translated.map((event) => event?.event)).toEqual([
      { type: "diagnostic", severity: "error", message: `error: key ${masked}`, urn: bucket },
      { type: "diagnostic", severity: "warning", message: `${masked} is weak` },
    ]);
    expect(translated[0]?.phase).toBe("infrastructure");
    expect(errors).toEqual([{ message: `error: key ${masked}`, urn: bucket }]);
  });

  it.each([
    ["information", { severity: "info", message: "hello" }],
    ["the program's standard error", { severity: "info#err", message: "npm warn" }],
    [
      "progress that is replaced at once",
      { severity: "warning", ephemeral: true, message: "still creating" },
    ],
  ])("leave out %s", (_, event) => {
    expect(run("update", [diagnostic(event)]).translated).toEqual([undefined]);
  });

  it("leave out everything else the engine says", () => {
    const events = [
      { cancelEvent: {} },
      { preludeEvent: { config: { secret: "x" } } },
      { stdoutEvent: { message: "x", color: "" } },
    ];
    expect(run("update", events as Part[]).translated).toEqual([undefined, undefined, undefined]);
  });
});

describe("steps that the provider never answered", () => {
  const lost = { urn: bucket, severity: "error", message: "error reading from server: EOF" };

  it("are those that failed because it disappeared", () => {
    const step = { op: "create", urn: bucket };
    expect(run("update", [pre(step), diagnostic(lost), failed(step)]).unanswered).toEqual([step]);
  });

  it("are also those that are under way when one tells of it, and no others", () => {
    const steps = ["asked", "answered", "failed"].map((name) => ({ op: "create", urn: `${bucket}-${name}` }));
    const [asked, answered, told] = steps as [Metadata, Metadata, Metadata];
    const begun = steps.map((step) => pre(step));
    const isLost = diagnostic({ ...lost, urn: told.urn });
    expect(run("update", [...begun, done(answered)]).unanswered).toEqual([]);
    expect(run("update", [...begun, done(answered), isLost, failed(told)]).unanswered).toEqual([told, asked]);
  });

  it("are none that AWS refused", () => {
    const step = { op: "create", urn: bucket };
    const refused = { ...lost, message: "api error AccessDenied: no" };
    expect(run("update", [pre(step), diagnostic(refused), failed(step)]).unanswered).toEqual([]);
  });
});
