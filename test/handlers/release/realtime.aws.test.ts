import { describe, expect, it } from "vitest";
import { expectExactGrants } from "../support/granted-calls.ts";
import { ASKED_BESIDES, aWorld, current, everyGrant, playFully, release } from "../support/play-release.ts";

describe("a real-time release", () => {
  it("has SageMaker shift under the guard's alarms, once, whenever it dies", async () => {
    const world = await aWorld("realtime");
    const live = world.names.named("live");
    await playFully(world, false);
    expect(world.endpoints.updates).toHaveLength(2);
    expect(world.endpoints.updates[0]).toMatchObject({
      EndpointName: live,
      RetainAllVariantProperties: true,
      DeploymentConfig: {
        BlueGreenUpdatePolicy: {
          TrafficRoutingConfiguration: {
            Type: "LINEAR",
            LinearStepSize: { Value: 10 },
            WaitIntervalInSeconds: 300,
          },
        },
        AutoRollbackConfiguration: {
          Alarms: ["api-errors", "api-slow", "live-errors", "live-slow"].map((name) => ({
            AlarmName: world.names.named(name),
          })),
        },
      },
    });
    expect([...world.endpoints.all.keys()]).toEqual([live]);
    expect((await current(world)).made.configName).toBe(world.endpoints.all.get(live)?.config);
  });

  it("that SageMaker turns back is told as failed, and what is recorded serves", async () => {
    const world = await aWorld("realtime");
    const live = world.names.named("live");
    const first = await world.approve();
    await release(world, first);
    const config = world.endpoints.all.get(live)?.config;
    world.endpoints.fates.set(live, "turns back");
    const { end, states } = await release(world, await world.approve(), { dying: true });
    expect([end, states.at(-2)]).toEqual(["RolledBack", "RollBack"]);
    expect(world.endpoints.all.get(live)).toMatchObject({ status: "InService", config });
    expect(world.endpoints.updates).toHaveLength(1);
    expect((await current(world)).modelPackageArn).toBe(first);
  });

  it("that can't be turned back is left halfway, which people are told", async () => {
    const world = await aWorld("realtime");
    await release(world, await world.approve());
    world.endpoints.fates.set(world.names.named("live"), "fails");
    const { end, failure } = await release(world, await world.approve());
    expect([end, failure?.error]).toEqual(["LeftHalfway", "NoWayBack"]);
  });

  it("that is the first and fails leaves nothing that answers", async () => {
    const world = await aWorld("realtime");
    world.endpoints.fates.set(world.names.named("live"), "fails");
    expect((await release(world, await world.approve())).end).toBe("RolledBack");
    expect(world.endpoints.all.size).toBe(0);
  });

  it("goes back to the version before when somebody asks", async () => {
    const world = await aWorld("realtime");
    const [first, second] = [await world.approve(), await world.approve()];
    await release(world, first);
    await release(world, second);
    const event = { task: "roll-back", scope: "release", trigger: "person" };
    expect(await world.handle(event)).toEqual({ outcome: "rolled-back" });
    const { made, modelPackageArn } = await current(world);
    expect(modelPackageArn).toBe(first);
    expect(world.endpoints.all.get(world.names.named("live"))).toMatchObject({
      status: "InService",
      config: made.configName,
    });
  });
});

expectExactGrants(everyGrant, ASKED_BESIDES);
