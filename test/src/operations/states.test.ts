import { describe, expect, it } from "vitest";
import { actions } from "../../../src/engine/protocol.ts";
import {
  actionOf,
  changesStack,
  isEnded,
  laneOf,
  operationKinds,
  operationStates,
  transitions,
} from "../../../src/operations/states.ts";

describe("operation states", () => {
  it("end where nothing follows", () => {
    expect(operationStates.filter(isEnded)).toEqual([
      "succeeded",
      "failed",
      "cancelled",
      "superseded",
      "needs_repair",
    ]);
  });

  it("can all be reached from queued", () => {
    const reached = new Set<string>(["queued"]);
    for (const state of reached) {
      for (const next of transitions[state as keyof typeof transitions]) reached.add(next);
    }
    expect([...reached].sort()).toEqual([...operationStates].sort());
  });

  it("let every operation that has not ended be cancelled", () => {
    for (const state of operationStates.filter((each) => !isEnded(each))) {
      expect(transitions[state]).toContain("cancelled");
    }
  });
});

describe("operation kinds", () => {
  it("are exactly what the engine can do, once a rollback is an update", () => {
    expect(new Set(operationKinds.map(actionOf))).toEqual(new Set(actions));
  });

  it("that only read go to the lane that never waits for a change", () => {
    expect(operationKinds.filter((kind) => laneOf(kind) === "checks")).toEqual(["preview", "drift"]);
    for (const kind of operationKinds) expect(laneOf(kind) === "changes").toBe(changesStack(kind));
  });
});
