import { describe, expect, it } from "vitest";
import { drawAction, drawKills, victims } from "../../../scripts/chaos/plan.ts";
import { Random } from "../../../scripts/chaos/random.ts";

describe("the plan of a chaos run", () => {
  it("follows from the seed alone", () => {
    expect(drawKills(new Random(7), 50)).toEqual(drawKills(new Random(7), 50));
    expect(drawKills(new Random(7), 50)).not.toEqual(drawKills(new Random(8), 50));
  });

  it("has every kind of victim at least once", () => {
    const kills = drawKills(new Random(1), 10);
    expect(kills).toHaveLength(10);
    expect(new Set(kills.map(({ victim }) => victim))).toEqual(new Set(victims));
  });

  it("has as many kills as it is asked for, also when that is fewer than there are kinds", () => {
    expect(drawKills(new Random(1), 2)).toHaveLength(2);
    expect(drawKills(new Random(1), 0)).toEqual([]);
  });

  it("asks nothing of a pipeline that isn't there but to make it", () => {
    const random = new Random(3);
    const asked = Array.from({ length: 200 }, () => drawAction(random, false).request.type);
    expect(new Set(asked)).toEqual(new Set(["apply", "preview"]));
  });

  it("asks everything of a pipeline that is there", () => {
    const random = new Random(3);
    const asked = Array.from({ length: 400 }, () => drawAction(random, true).request.type);
    expect(new Set(asked)).toEqual(new Set(["apply", "destroy", "drift", "preview", "reconcile", "refresh"]));
  });
});

describe("a stream of random numbers", () => {
  it("isn't moved by what another stream draws", () => {
    const alone = new Random(5).fork("kills");
    const first = [alone.fraction(), alone.fraction()];
    const root = new Random(5);
    root.fork("users").fraction();
    root.fraction();
    const beside = root.fork("kills");
    expect([beside.fraction(), beside.fraction()]).toEqual(first);
  });

  it("draws both ends of a range and nothing beyond", () => {
    const random = new Random(11);
    expect(new Set(Array.from({ length: 200 }, () => random.integer(2, 4)))).toEqual(new Set([2, 3, 4]));
  });

  it("never draws what has no weight", () => {
    const random = new Random(11);
    const drawn = Array.from({ length: 200 }, () => random.weighted({ often: 3, seldom: 1, never: 0 }));
    expect(new Set(drawn)).toEqual(new Set(["often", "seldom"]));
  });
});
