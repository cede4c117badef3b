import { beforeAll, describe, expect, it } from "vitest";
import type { TransformParameters } from "../../../handlers/features/parameters.ts";
import { TRANSFORM_METADATA } from "../../../programs/storage-layout.ts";
import { builtInSpec, fittedFor, putTransform } from "../support/built-in-model.ts";
import { expectExactGrants } from "../support/granted-calls.ts";
import {
  ASKED_BESIDES,
  alarmEvent,
  aWorld,
  current,
  everyGrant,
  hourLater,
  release,
  traffic,
} from "../support/play-release.ts";
import type { Model, ReleaseWorld } from "../support/release-world.ts";

const rollout = { canaryPercent: 10, stepPercent: 45, bakeMinutes: 5 };

interface Asked {
  readonly body: string;
  readonly contentType: string | undefined;
  readonly accept: string | undefined;
}

describe("a release of a built-in algorithm's model", () => {
  let dry: TransformParameters;
  let wet: TransformParameters;
  beforeAll(async () => {
    dry = await fittedFor(["Crookston", "Morris"], 4);
    wet = await fittedFor(["Duluth", "Morris"], 8);
  });

  /** As AWS's container answers. */
  const aBuiltInWorld = async () => {
    const world = await aWorld("serverless", builtInSpec({ serving: { rollout } }));
    for (const transform of [dry, wet]) await putTransform(world.pipeline, transform);
    const asked: Asked[] = [];
    const model: Model = (
      _,
      body,
      { contentType, accept } = { contentType: undefined, accept: undefined },
    ) => {
      asked.push({ body, contentType, accept });
      if (contentType !== "text/csv") return { status: 415, body: "" };
      const scores = body.split("\n").map(() => ({ score: 41.5 }));
      return { status: 200, body: JSON.stringify({ predictions: scores }) };
    };
    world.setModel(model);
    return { world, asked };
  };
  const approve = (world: ReleaseWorld, { digest }: TransformParameters, execution?: string) =>
    world.approve(execution, { [TRANSFORM_METADATA]: digest });
  const namesIn = ({ names }: ReleaseWorld) => [names.named("blue"), names.named("green")] as const;

  it("tries it with the features of a plain row, in the CSV that it takes", async () => {
    const { world, asked } = await aBuiltInWorld();
    expect((await release(world, await approve(world, dry))).end).toBe("Released");
    // A site that the transform knows, no rain, no irrigation; once in dev, once in staging.
    expect(asked).toEqual(
      Array(2).fill({ body: "0,0,0", contentType: "text/csv", accept: "application/json" }),
    );
  });

  it("divides the traffic in one document with the transform of each version", async () => {
    const { world } = await aBuiltInWorld();
    const [blue, green] = namesIn(world);
    const first = await approve(world, dry);
    expect((await release(world, first)).end).toBe("Released");
    expect(await traffic(world)).toEqual({ [blue]: { percent: 100, transform: dry.digest }, [green]: 0 });

    const shares: unknown[] = [];
    const note = async () => shares.push(await traffic(world));
    const at = { BakeAt10Percent: note, BakeAt55Percent: note, BakeAt100Percent: note };
    const second = await approve(world, wet);
    expect((await release(world, second, { at, dying: true, twice: true })).end).toBe("Released");
    const both = (percent: number) => ({
      [blue]: { percent: 100 - percent, transform: dry.digest },
      [green]: { percent, transform: wet.digest },
    });
    const last = { [blue]: 0, [green]: { percent: 100, transform: wet.digest } };
    // Each state is noted whenever time passes in it.
    expect(new Set(shares.map((share) => JSON.stringify(sorted(share))))).toEqual(
      new Set([both(10), both(55), last].map((share) => JSON.stringify(sorted(share)))),
    );

    hourLater(world);
    expect(await world.handle(alarmEvent(world))).toEqual({ outcome: "rolled-back" });
    expect(await traffic(world)).toEqual({ [blue]: { percent: 100, transform: dry.digest }, [green]: 0 });
    expect(await current(world)).toMatchObject({ modelPackageArn: first, transform: dry.digest });
  });

  it("gives the traffic back with the transform of the version that gets it", async () => {
    const { world } = await aBuiltInWorld();
    const [blue, green] = namesIn(world);
    await release(world, await approve(world, dry));
    const at = { BakeAt55Percent: () => world.handle(alarmEvent(world)) };
    expect((await release(world, await approve(world, wet), { at })).end).toBe("RolledBack");
    expect(await traffic(world)).toEqual({ [blue]: { percent: 100, transform: dry.digest }, [green]: 0 });
  });

  it("sends recorded samples as they were recorded, and asks for what they ask for", async () => {
    const { world, asked } = await aBuiltInWorld();
    const sample = { request: "1,0.5,1\n0,,0", contentType: "text/csv", accept: "application/json" };
    const lines = JSON.stringify({ ...sample, expected: [41.5, 41.5] });
    await world.pipeline.put("models", "evaluations/e0123456789a/samples.jsonl", lines);
    expect((await release(world, await approve(world, dry, "e0123456789a"))).end).toBe("Released");
    const { request: body, ...types } = sample;
    expect(asked).toEqual(Array(2).fill({ body, ...types }));
  });

  it("ends before callers get anything where the transform is not there, or another one", async () => {
    const { world, asked } = await aBuiltInWorld();
    const missing = await world.approve(undefined, { [TRANSFORM_METADATA]: "f".repeat(64) });
    expect((await release(world, missing)).failure).toMatchObject({
      error: "TestsFailed",
      cause: expect.stringMatching(/^There is no transforms\/f{64}\.json/),
    });
    await world.pipeline.put("models", `transforms/${"e".repeat(64)}.json`, JSON.stringify(dry));
    const another = await world.approve(undefined, { [TRANSFORM_METADATA]: "e".repeat(64) });
    expect((await release(world, another)).failure?.error).toBe("TestsFailed");
    expect(asked).toEqual([]);
    await expect(traffic(world)).rejects.toThrow();
  });

  it("is refused for a version that was trained without declared features, and in another mode", async () => {
    const { world } = await aBuiltInWorld();
    expect((await release(world, await world.approve())).failure).toMatchObject({
      error: "VersionRefused",
      cause: expect.stringContaining("has no features"),
    });
    const realtime = await aWorld("realtime", builtInSpec({ serving: { mode: "realtime" } }));
    expect((await release(realtime, await approve(realtime, dry))).failure).toMatchObject({
      error: "VersionRefused",
      cause: expect.stringContaining("use serverless"),
    });
  });
});

const sorted = (share: unknown) => Object.entries(share as object).toSorted();

expectExactGrants(everyGrant, {
  ...ASKED_BESIDES,
  "sagemaker:UpdateEndpoint": "the release in mode realtime is refused before it has one",
  "sagemaker:DeleteEndpointConfig":
    "what is discarded does not depend on the algorithm: serverless.aws.test.ts plays it",
  "sagemaker:DeleteModel":
    "what is discarded does not depend on the algorithm: serverless.aws.test.ts plays it",
});
