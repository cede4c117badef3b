import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { bareOrders, criticalPath, type StateResource } from "../../../scripts/bench/resource-graph.ts";

const SECONDS: Readonly<Record<string, number>> = { "aws:slow": 10, "aws:quick": 1 };
const secondsOf = (type: string) => SECONDS[type] ?? 0;

const urn = (name: string) => `urn:pulumi:s::p::t::${name}`;

function aResource(name: string, change: Partial<StateResource> = {}): StateResource {
  return { urn: urn(name), type: "aws:quick", id: `id-of-${name}`, ...change };
}

/** One whose input `source` holds the ids of others. */
function using(name: string, sources: readonly string[], change: Partial<StateResource> = {}): StateResource {
  return aResource(name, {
    inputs: { source: sources.map((source) => `id-of-${source}`) },
    dependencies: sources.map(urn),
    propertyDependencies: { source: sources.map(urn) },
    ...change,
  });
}

describe("the critical path", () => {
  it("is the slowest chain of resources that need each other, in their order", () => {
    const resources = [
      aResource("key", { type: "aws:slow" }),
      using("bucket", ["key"]),
      using("policy", ["bucket"]),
      aResource("alone", { type: "aws:slow" }),
    ];
    expect(criticalPath(resources, secondsOf)).toEqual({
      seconds: 12,
      urns: ["key", "bucket", "policy"].map(urn),
    });
  });

  it("does not count an order that only dependsOn asks for", () => {
    const resources = [
      aResource("a", { type: "aws:slow" }),
      aResource("b", { type: "aws:slow", dependencies: [urn("a")] }),
    ];
    expect(criticalPath(resources, secondsOf).seconds).toBe(10);
  });

  it("takes no time for components and providers", () => {
    const component = aResource("component", { type: "aidlc:phase:Learning" });
    expect(criticalPath([component, using("topic", ["component"])], secondsOf).seconds).toBe(1);
  });

  it("passes over what is not in the stack", () => {
    expect(criticalPath([using("bucket", ["elsewhere"])], secondsOf).seconds).toBe(1);
  });

  it("is at least as long as the slowest resource and at most as long as all together", () => {
    const graph = fc
      .array(fc.tuple(fc.constantFrom("aws:slow", "aws:quick"), fc.array(fc.nat(30))), {
        minLength: 1,
        maxLength: 30,
      })
      .map((nodes) =>
        nodes.map(([type, sources], index) =>
          using(String(index), sources.filter((source) => source < index).map(String), { type }),
        ),
      );
    fc.assert(
      fc.property(graph, (resources) => {
        const times = resources.map(({ type }) => secondsOf(type));
        const { seconds } = criticalPath(resources, secondsOf);
        expect(seconds).toBeGreaterThanOrEqual(Math.max(...times));
        expect(seconds).toBeLessThanOrEqual(times.reduce((sum, time) => sum + time, 0));
      }),
    );
  });
});

describe("orders that no value carries", () => {
  it("are those by dependsOn", () => {
    const resources = [aResource("a"), aResource("b", { dependencies: [urn("a")] })];
    expect(bareOrders(resources)).toEqual([{ from: urn("b"), to: urn("a"), input: undefined }]);
  });

  it("are not those that a value brings with it anyway", () => {
    const resources = [
      aResource("a"),
      using("b", ["a"]),
      using("c", ["b"], { dependencies: [urn("b"), urn("a")] }),
    ];
    expect(bareOrders(resources)).toEqual([]);
  });

  it("are those through an input in whose value nothing of the other is found", () => {
    const resources = [aResource("a"), using("b", ["a"], { inputs: { source: "constant" } })];
    expect(bareOrders(resources)).toEqual([{ from: urn("b"), to: urn("a"), input: "source" }]);
  });

  it("are not those through an output other than the id", () => {
    const resources = [
      aResource("a", { outputs: { url: "https://queue" } }),
      using("b", ["a"], { inputs: { source: { policy: '{"on":"https://queue"}' } } }),
    ];
    expect(bareOrders(resources)).toEqual([]);
  });

  it("are not those of components", () => {
    const component = aResource("component", { type: "aidlc:phase:Learning" });
    expect(bareOrders([component, aResource("b", { dependencies: [urn("component")] })])).toEqual([]);
  });
});
