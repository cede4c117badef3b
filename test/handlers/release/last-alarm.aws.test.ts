import { describe, expect, it } from "vitest";
import type { AwsRequest } from "../../support/aws-recorder.ts";
import { alarmEvent, aWorld, current, release, traffic } from "../support/play-release.ts";
import type { ReleaseWorld } from "../support/release-world.ts";

/** Two versions, of which the first serves and the second is to be released. */
async function twoVersions() {
  const world = await aWorld("serverless");
  const [first, second] = [await world.approve(), await world.approve()];
  expect((await release(world, first)).end).toBe("Released");
  await world.pipeline.takeAlerts();
  const expectFirst = async () => {
    const { modelPackageArn, endpoint } = await current(world);
    expect(modelPackageArn).toBe(first);
    expect(await traffic(world)).toMatchObject({ [endpoint?.name ?? ""]: 100 });
  };
  return { world, first, second, expectFirst };
}

const writes =
  (key: string, part = "") =>
  ({ method, path, body }: AwsRequest) =>
    method === "PUT" && path.includes(`/releases/${key}.json`) && body.includes(part);

/** A second before now: the alarm began, and its event is still on its way. */
const alarmOnItsWay = (world: ReleaseWorld) => ({
  ...alarmEvent(world),
  at: new Date(world.clock.now.getTime() - 1000).toISOString(),
});

describe("an alarm at the end of a release takes it back", () => {
  it("when it begins to ring before the release is recorded, and its event comes afterwards and changes nothing", async () => {
    const { world, second, expectFirst } = await twoVersions();
    const beforeTask = { record: () => world.ring("release-guard") };
    const { end, failure } = await release(world, second, { beforeTask, twice: true });
    expect([end, failure?.error]).toEqual(["RolledBack", "Condemned"]);
    await expectFirst();
    expect(await world.handle(alarmOnItsWay(world))).toEqual({ outcome: "nothing" });
    await expectFirst();
    expect(await world.pipeline.takeAlerts()).toEqual([]);
  });

  it.each([
    ["the release is written down as recorded", writes("current")],
    ["it has ended", writes("release-2", '"state":"recorded"')],
  ])("when its event comes just before %s", async (_, isBefore) => {
    const { world, second, expectFirst } = await twoVersions();
    const beforeTask = {
      record: async () =>
        world.before(isBefore, async () => {
          expect(await world.handle(alarmOnItsWay(world))).toEqual({ outcome: "condemned" });
        }),
    };
    const { end, failure } = await release(world, second, { beforeTask });
    expect([end, failure?.error]).toEqual(["RolledBack", "Condemned"]);
    await expectFirst();
  });

  it("when it began before the release was recorded, and its event comes after that", async () => {
    const { world, first, second, expectFirst } = await twoVersions();
    expect((await release(world, second)).end).toBe("Released");
    const event = alarmOnItsWay(world);
    expect(await world.handle(event)).toEqual({ outcome: "rolled-back" });
    await expectFirst();
    expect(await world.pipeline.takeAlerts()).toMatchObject([
      { code: "release_rolled_back", detail: { from: second, to: first, by: "alarm" } },
    ]);
    expect(await world.handle(event)).toEqual({ outcome: "nothing" });
    await expectFirst();
  });

  it("but not for one that was over before callers saw anything of the version", async () => {
    const { world, second } = await twoVersions();
    const event = alarmEvent(world);
    world.clock.now = new Date(world.clock.now.getTime() + 5000);
    expect((await release(world, second)).end).toBe("Released");
    expect(await world.handle(event)).toEqual({ outcome: "nothing" });
    expect((await current(world)).modelPackageArn).toBe(second);
  });
});

describe("an alarm", () => {
  it("that took a release back while it was shifting takes nothing more back when its event comes twice", async () => {
    const { world, second, expectFirst } = await twoVersions();
    const third = await world.approve();
    expect((await release(world, second)).end).toBe("Released");
    let event: object = {};
    const ring = async () => {
      event = alarmEvent(world);
      expect(await world.handle(event)).toEqual({ outcome: "condemned" });
    };
    const { end } = await release(world, third, { at: { BakeAt55Percent: ring } });
    expect(end).toBe("RolledBack");
    expect(await world.handle(event)).toEqual({ outcome: "nothing" });
    expect((await current(world)).modelPackageArn).toBe(second);
    // Another one is about what serves.
    world.clock.now = new Date(world.clock.now.getTime() + 60_000);
    expect(await world.handle(alarmEvent(world))).toEqual({ outcome: "rolled-back" });
    await expectFirst();
  });

  it("that rings while a person goes back, and goes on ringing, is told to people", async () => {
    const { world, first, second } = await twoVersions();
    expect((await release(world, second)).end).toBe("Released");
    const person = { task: "roll-back", scope: "release", trigger: "person" };
    expect(await world.handle(person)).toEqual({ outcome: "rolled-back" });
    await world.pipeline.takeAlerts();
    expect(await world.handle(alarmOnItsWay(world))).toEqual({ outcome: "nothing" });
    expect(await world.pipeline.takeAlerts()).toEqual([]);
    await world.ring("release-guard");
    expect(await world.handle(alarmOnItsWay(world))).toEqual({ outcome: "nothing" });
    expect(await world.pipeline.takeAlerts()).toMatchObject([
      { severity: "critical", code: "no_release_to_go_back_to", detail: { modelPackageArn: first } },
    ]);
  });
});
