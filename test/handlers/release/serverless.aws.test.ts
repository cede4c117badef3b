import { describe, expect, it } from "vitest";
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

describe("a serverless release", () => {
  it("takes its turn from the first version to the next, step by step, and leaves no trial", async () => {
    const world = await aWorld("serverless");
    const { names } = world;
    const [blue, green] = [names.named("blue"), names.named("green")];
    const first = await world.approve();
    expect((await release(world, first)).end).toBe("Released");
    expect(await traffic(world)).toEqual({ [blue]: 100, [green]: 0 });
    expect(await current(world)).toMatchObject({
      modelPackageArn: first,
      endpoint: { name: blue },
      by: "release",
    });

    const shares: unknown[] = [];
    const note = async () => shares.push(await traffic(world));
    const second = await world.approve();
    const at = { BakeAt10Percent: note, BakeAt55Percent: note, BakeAt100Percent: note };
    const { end, states } = await release(world, second, { at });
    expect(end).toBe("Released");
    expect(states).toContain("SmokeTests");
    expect(shares).toEqual([
      { [blue]: 90, [green]: 10 },
      { [blue]: 45, [green]: 55 },
      { [blue]: 0, [green]: 100 },
    ]);
    expect(await current(world)).toMatchObject({
      modelPackageArn: second,
      endpoint: { name: green, variantName: "primary" },
      earlier: [{ modelPackageArn: first, endpoint: { name: blue } }],
    });
    expect([...world.endpoints.all.keys()].toSorted()).toEqual([blue, green].toSorted());
  });

  it("ends well though each task dies before every one of its changes and is then done twice", async () => {
    const world = await aWorld("serverless");
    const [first, second] = [await world.approve(), await world.approve()];
    expect((await release(world, first)).end).toBe("Released");
    expect((await release(world, second, { dying: true, twice: true })).end).toBe("Released");
    const { modelPackageArn, earlier } = await current(world);
    expect([modelPackageArn, ...earlier.map((each) => each.modelPackageArn)]).toEqual([second, first]);
    // Two trials and one that serves, each time.
    expect(world.endpoints.created).toHaveLength(6);
  });

  it("that fails its tests is withdrawn: its trials go, and the traffic was never touched", async () => {
    const world = await aWorld("serverless");
    const arn = await world.approve();
    world.setModel(() => ({ status: 200, body: JSON.stringify({ predictions: [] }) }));
    const { end, failure, states } = await release(world, arn, { twice: true });
    expect([end, failure?.error, states.at(-2)]).toEqual(["Refused", "TestsFailed", "Withdraw"]);
    expect(world.endpoints.all.size).toBe(0);
    await expect(traffic(world)).rejects.toThrow();
    // Nobody is kept waiting by it.
    world.setModel((_, body) => ({
      status: 200,
      body: JSON.stringify({ predictions: JSON.parse(body).instances.map(() => 1) }),
    }));
    expect((await release(world, await world.approve())).end).toBe("Released");
  });

  it("is taken back while it bakes, as soon as the guard rings", async () => {
    const world = await aWorld("serverless");
    const [blue, green] = [world.names.named("blue"), world.names.named("green")];
    const first = await world.approve();
    await release(world, first);
    const ring = async () => {
      expect(await world.handle(alarmEvent(world))).toEqual({ outcome: "condemned" });
      expect(await traffic(world)).toEqual({ [blue]: 100, [green]: 0 });
      // Its alarm is over before the machine looks.
    };
    const { end, failure } = await release(world, await world.approve(), { at: { BakeAt55Percent: ring } });
    expect([end, failure?.error]).toEqual(["RolledBack", "Condemned"]);
    expect((await current(world)).modelPackageArn).toBe(first);
    expect(await traffic(world)).toEqual({ [blue]: 100, [green]: 0 });
    expect([...world.endpoints.all.keys()]).not.toContain(world.names.named("dev"));
  });

  it("is taken back by an alarm that only the machine sees", async () => {
    const world = await aWorld("serverless");
    const first = await world.approve();
    await release(world, first);
    const at = { BakeAt10Percent: () => world.ring("green-errors") };
    const { end, failure } = await release(world, await world.approve(), { at, twice: true });
    expect([end, failure?.error]).toEqual(["RolledBack", "Condemned"]);
    expect((await current(world)).modelPackageArn).toBe(first);
    await world.ring("green-errors", "OK");
  });

  it("is taken back when the canary fails requests, too few of them for an alarm", async () => {
    const world = await aWorld("serverless");
    await release(world, await world.approve());
    const at = {
      BakeAt10Percent: async () => {
        world.clock.now = new Date(Math.floor(Date.now() / 60_000) * 60_000);
        await world.putEndpointMetric("green", "Invocations", 4);
        await world.putEndpointMetric("green", "Invocation5XXErrors", 2);
      },
    };
    const { end, failure } = await release(world, await world.approve(), { at });
    expect([end, failure?.cause]).toEqual([
      "RolledBack",
      `Endpoint ${world.names.named("green")} failed 2 of 4 requests`,
    ]);
  });

  it("whose endpoint does not come up is withdrawn with the reason", async () => {
    const world = await aWorld("serverless");
    world.endpoints.fates.set(world.names.named("staging"), "fails");
    const { end, failure } = await release(world, await world.approve());
    expect([end, failure?.error]).toEqual(["Refused", "DeploymentFailed"]);
    expect(failure?.cause).toContain("ping health check");
    expect(world.endpoints.all.size).toBe(0);
  });

  it("is refused for a version that nobody approved, and for another pipeline's", async () => {
    const world = await aWorld("serverless");
    expect((await release(world, await world.register())).failure?.error).toBe("VersionRefused");
    const foreign = (await world.approve()).replace("model-package/", "model-package/x");
    expect((await release(world, foreign)).failure?.error).toBe("VersionRefused");
  });

  it("is needless for the version that serves", async () => {
    const world = await aWorld("serverless");
    const arn = await world.approve();
    await release(world, arn);
    expect((await release(world, arn, { name: "again" })).end).toBe("NothingToRelease");
  });

  it("asks what the version's evaluation recorded, and holds it to the answers", async () => {
    const world = await aWorld("serverless");
    const samples = [
      { request: { instances: [{ species: "adelie" }] }, expected: ["adelie"] },
      { request: { instances: [{ species: "gentoo" }] }, expected: ["gentoo"] },
    ];
    const key = "evaluations/e0123456789a/samples.jsonl";
    await world.pipeline.put("models", key, samples.map((sample) => JSON.stringify(sample)).join("\n"));
    const arn = await world.approve("e0123456789a");
    expect((await release(world, arn)).failure?.cause).toBe(
      "The answer to sample 2 of 2 is not what was expected of instance 1",
    );
  });

  it("that the guard condemns later gives way to the version before, at once, once, and people are told", async () => {
    const world = await aWorld("serverless");
    const [first, second] = [await world.approve(), await world.approve()];
    await release(world, first);
    await release(world, second);
    await world.pipeline.takeAlerts();
    const created = world.endpoints.created.length;
    const event = alarmEvent(world);
    hourLater(world);
    expect(await world.handle(event)).toEqual({ outcome: "rolled-back" });
    expect(await world.handle(event)).toEqual({ outcome: "nothing" });
    expect(await current(world)).toMatchObject({ modelPackageArn: first, by: "alarm", earlier: [] });
    expect(await traffic(world)).toMatchObject({ [world.names.named("blue")]: 100 });
    expect(world.endpoints.created).toHaveLength(created);
    expect(await world.pipeline.takeAlerts()).toMatchObject([
      { severity: "critical", code: "release_rolled_back", detail: { from: second, to: first, by: "alarm" } },
    ]);
    // The earlier one fails too: the cause is elsewhere.
    hourLater(world);
    expect(await world.handle(alarmEvent(world))).toEqual({ outcome: "nothing" });
    expect(await world.pipeline.takeAlerts()).toMatchObject([{ code: "no_release_to_go_back_to" }]);
  });

  it("keeps what the version before was made from, and no older one's", async () => {
    const world = await aWorld("serverless");
    for (const arn of [await world.approve(), await world.approve(), await world.approve()]) {
      expect((await release(world, arn)).end).toBe("Released");
    }
    const { made, earlier } = await current(world);
    const made3 = [made, ...earlier.map((each) => each.made)].map(({ configName = "" }) => configName);
    expect(await world.configs()).toEqual(made3.slice(0, 2).toSorted());
  });
});

expectExactGrants(everyGrant, ASKED_BESIDES);
