import { describe, expect, it } from "vitest";
import { alarmEvent, aWorld, current, release, traffic } from "../support/play-release.ts";

describe("releases at the same time", () => {
  it("wait for an older one, and give way to a newer one", async () => {
    const world = await aWorld("serverless");
    const [first, second, third] = [await world.approve(), await world.approve(), await world.approve()];
    const seen: string[] = [];
    const task = (modelPackageArn: string, releaseId: string) =>
      world.handle({ task: "plan", modelPackageArn, releaseId });
    const at = {
      BakeAt10Percent: async () => {
        // Newer: it waits. Older: it has no business any more.
        await expect(task(third, "newer")).rejects.toThrow("comes after it");
        seen.push((await task(first, "older")).outcome, (await task(second, "same")).outcome);
      },
    };
    expect((await release(world, second, { at })).end).toBe("Released");
    expect(seen).toEqual(["overtaken", "under-way"]);
    expect((await release(world, third, { name: "newer" })).end).toBe("Released");
    expect((await current(world)).modelPackageArn).toBe(third);
  });

  it("are let in by one whose last task died right before it would have let them in, and was tried again", async () => {
    const world = await aWorld("serverless");
    const arn = await world.approve();
    const record = async () => {
      world.before(
        ({ method, path, body }) => method === "PUT" && path.includes("under-way") && body.includes("null"),
        async () => world.killAfter(0),
      );
      const task = { task: "record", modelPackageArn: arn, releaseId: "release-1" };
      await expect(world.handle(task)).rejects.toThrow("killed");
      world.killAfter(undefined);
    };
    expect((await release(world, arn, { beforeTask: { record } })).end).toBe("Released");
    expect(await world.document("under-way")).toEqual({ hold: null });
  });

  it("are not kept out for ever by one that died halfway, whose traffic goes back", async () => {
    const world = await aWorld("serverless");
    const [blue, green] = [world.names.named("blue"), world.names.named("green")];
    await release(world, await world.approve());
    const dies = release(world, await world.approve(), {
      at: {
        BakeAt10Percent: () => {
          throw new Error("aborted by a person");
        },
      },
    });
    await expect(dies).rejects.toThrow("aborted");
    expect(await traffic(world)).toEqual({ [blue]: 90, [green]: 10 });
    world.clock.now = new Date(world.clock.now.getTime() + 24 * 3600_000);
    const shares: unknown[] = [];
    const third = await world.approve();
    const note = async () => shares.push(await traffic(world));
    const walked = await release(world, third, { at: { DeployDev: note, IntegrationTests: note } });
    expect(walked.end).toBe("Released");
    expect(shares[0]).toEqual({ [blue]: 100, [green]: 0 });
    // The dead one comes to and finds that it is over.
    const zombie = { task: "shift", percent: 55, releaseId: "release-2", modelPackageArn: third };
    await expect(world.handle(zombie)).rejects.toMatchObject({ name: "Superseded" });
    expect(await traffic(world)).toEqual({ [blue]: 0, [green]: 100 });
  });
});

describe("a rollback outside of a release", () => {
  it("goes back to any recorded version that a person names", async () => {
    const world = await aWorld("serverless");
    const versions = [await world.approve(), await world.approve(), await world.approve()];
    for (const arn of versions) await release(world, arn);
    const event = { task: "roll-back", scope: "release", trigger: "person", modelPackageArn: versions[0] };
    expect(await world.handle(event)).toEqual({ outcome: "rolled-back" });
    expect(await world.handle(event)).toEqual({ outcome: "nothing" });
    const { modelPackageArn, endpoint, made } = await current(world);
    expect(modelPackageArn).toBe(versions[0]);
    expect(await traffic(world)).toMatchObject({ [endpoint?.name ?? ""]: 100 });
    expect(world.endpoints.all.get(endpoint?.name ?? "")?.config).toBe(made.configName);
    // And forward again, by a release.
    expect((await release(world, versions[2] ?? "", { name: "forward" })).end).toBe("Released");
  });

  it("takes the place of a version that is only being tried", async () => {
    const world = await aWorld("serverless");
    const [first, second, third] = [await world.approve(), await world.approve(), await world.approve()];
    await release(world, first);
    await release(world, second);
    let rung = false;
    const ring = async () => {
      if (rung) return;
      rung = true;
      const event = alarmEvent(world);
      // The alarm rings after the release began.
      expect(await world.handle(event)).toEqual({ outcome: "rolled-back" });
    };
    const at = { DeployStaging: ring };
    const { end, failure } = await release(world, third, { at });
    expect([end, failure?.error]).toEqual(["Refused", "Superseded"]);
    expect((await current(world)).modelPackageArn).toBe(first);
    expect([...world.endpoints.all.keys()]).toHaveLength(2);
  });
});
