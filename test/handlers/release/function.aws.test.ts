import { describe, expect, it } from "vitest";
import { expectExactGrants } from "../support/granted-calls.ts";
import {
  ASKED_BESIDES,
  alarmEvent,
  aWorld,
  current,
  everyGrant,
  playFully,
  release,
} from "../support/play-release.ts";

describe("a release of a function", () => {
  it("publishes, tries the version under its number, and has CodeDeploy shift the alias, once", async () => {
    const world = await aWorld("lambda");
    const versions = await playFully(world, true);
    expect(world.lambda.versions.map(({ variables }) => variables.AIDLC_MODEL_PACKAGE)).toEqual(versions);
    expect(world.lambda.alias).toEqual({ version: "3", weights: {} });
    expect(world.codeDeploy.deployments).toHaveLength(2);
    expect((await current(world)).earlier.map(({ made }) => made)).toEqual([
      { functionVersion: "2" },
      // Which the program brought up.
      { functionVersion: "1" },
    ]);
    expect(await world.pipeline.takeAlerts()).toMatchObject([{ code: "release_needs_update" }]);
  });

  it("is stopped by the guard, and the alias is the recorded version's again", async () => {
    const world = await aWorld("lambda");
    const first = await world.approve();
    await release(world, first);
    await world.bringUp(first);
    let rung = false;
    const ring = async () => {
      if (rung) return;
      rung = true;
      await world.handle(alarmEvent(world));
    };
    const { end } = await release(world, await world.approve(), { at: { AwaitShift: ring }, twice: true });
    expect(end).toBe("RolledBack");
    expect(world.codeDeploy.deployments[0]?.status).toBe("Stopped");
    expect(world.lambda.alias).toEqual({ version: "1", weights: {} });
  });

  it("that fails its tests shifts nothing", async () => {
    const world = await aWorld("lambda");
    const first = await world.approve();
    await release(world, first);
    await world.bringUp(first);
    world.setModel(() => ({ status: 500, body: "" }));
    expect((await release(world, await world.approve())).end).toBe("Refused");
    expect(world.codeDeploy.deployments).toEqual([]);
    expect(world.lambda.alias.version).toBe("1");
  });

  it("goes back to the version before when somebody asks", async () => {
    const world = await aWorld("lambda");
    const [first, second] = [await world.approve(), await world.approve()];
    await release(world, first);
    await world.bringUp(first);
    await release(world, second);
    expect(world.lambda.alias.version).toBe("2");
    const event = { task: "roll-back", scope: "release", trigger: "person" };
    expect(await world.handle(event)).toEqual({ outcome: "rolled-back" });
    expect(world.lambda.alias.version).toBe("1");
    expect((await current(world)).modelPackageArn).toBe(first);
  });
});

describe("the first version of a function", () => {
  it("is tried once an update brought it up, and recorded with its number", async () => {
    const world = await aWorld("lambda");
    expect(await world.handle({ task: "try" })).toEqual({ outcome: "nothing" });
    const first = await world.approve();
    await release(world, first);
    expect((await current(world)).made).toEqual({});
    await world.bringUp(first);
    const asked: string[] = [];
    world.setModel((version, body) => {
      asked.push(version);
      const { instances } = JSON.parse(body);
      return { status: 200, body: JSON.stringify({ predictions: instances.map(() => "adelie") }) };
    });
    expect(await world.handle({ task: "try" })).toEqual({ outcome: "tried" });
    expect(asked).toEqual(["1"]);
    expect((await current(world)).made).toEqual({ functionVersion: "1" });
    expect(await world.handle({ task: "try" })).toEqual({ outcome: "nothing" });
    expect(await world.pipeline.takeAlerts()).toMatchObject([{ code: "release_needs_update" }]);
  });

  it("that fails its tests is told to people, and stays recorded as untried", async () => {
    const world = await aWorld("lambda");
    const first = await world.approve();
    await release(world, first);
    await world.bringUp(first);
    world.setModel(() => ({ status: 200, body: '{"predictions":[]}' }));
    expect(await world.handle({ task: "try" })).toEqual({ outcome: "failed" });
    expect(await world.pipeline.takeAlerts()).toMatchObject([
      { code: "release_needs_update" },
      { code: "first_release_fails", detail: { modelPackageArn: first, error: "TestsFailed" } },
    ]);
    expect((await current(world)).made).toEqual({});
  });

  it("that nobody approved is told to people", async () => {
    const world = await aWorld("lambda");
    const unapproved = await world.register();
    await world.bringUp(unapproved);
    expect(await world.handle({ task: "try" })).toEqual({ outcome: "failed" });
    expect(await world.pipeline.takeAlerts()).toMatchObject([
      {
        code: "first_release_fails",
        severity: "critical",
        detail: { modelPackageArn: unapproved, error: "VersionRefused" },
      },
    ]);
  });
});

expectExactGrants(everyGrant, ASKED_BESIDES);
