import { describe, expect, it } from "vitest";
import { type OperationKind, type OperationState, operationStates } from "../../../src/operations/states.ts";
import { pipelineState } from "../../../src/pipelines/state.ts";

const change = (kind: OperationKind, state: OperationState) => ({ kind, state });

describe("a pipeline", () => {
  it.each<[string, ReturnType<typeof change> | null, number, number | null, string]>([
    ["is pending before anything was tried", null, 1, null, "pending"],
    ["is provisioning while its first update waits", change("update", "queued"), 1, null, "provisioning"],
    ["is provisioning while its first update runs", change("update", "running"), 1, null, "provisioning"],
    ["is updating while a later update waits", change("update", "queued"), 2, 1, "updating"],
    [
      "waits for approval while a change does",
      change("update", "awaiting_approval"),
      2,
      1,
      "awaiting_approval",
    ],
    ["is updating while it is reconciled", change("reconcile", "running"), 1, 1, "updating"],
    ["is destroying once its destroy waits", change("destroy", "queued"), 1, 1, "destroying"],
    ["is destroying even if it was never applied", change("destroy", "running"), 1, null, "destroying"],
    ["is ready when the revision asked for is the one applied", change("update", "succeeded"), 2, 2, "ready"],
    [
      "is pending when another revision is asked for than applied",
      change("update", "succeeded"),
      3,
      2,
      "pending",
    ],
    ["has failed when its last change failed", change("update", "failed"), 2, 1, "failed"],
    ["has failed when its destroy failed", change("destroy", "failed"), 1, 1, "failed"],
    ["needs repair when its runner was lost", change("update", "needs_repair"), 1, 1, "needs_repair"],
  ])("%s", (_, lastChange, desired, applied, state) => {
    expect(pipelineState({ lastChange, desired, applied })).toBe(state);
  });

  it("is never ready unless the revision asked for is the one applied", () => {
    for (const state of operationStates) {
      for (const kind of ["update", "destroy", "refresh", "reconcile"] as const) {
        expect(pipelineState({ lastChange: change(kind, state), desired: 2, applied: 1 })).not.toBe("ready");
        expect(pipelineState({ lastChange: change(kind, state), desired: 1, applied: null })).not.toBe(
          "ready",
        );
      }
    }
  });
});
