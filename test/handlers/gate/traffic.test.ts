import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { shareFor } from "../../../handlers/gate/traffic.ts";
import type { Traffic } from "../../../handlers/release/traffic.ts";

const endpointFor = (shares: Traffic, id: string) => shareFor(shares, id)?.endpoint;

const ids = fc.array(fc.uuid(), { minLength: 1, maxLength: 50 });

describe("traffic", () => {
  it("of one id comes to one endpoint while shares stay", () => {
    fc.assert(
      fc.property(ids, fc.integer({ min: 0, max: 100 }), (all, blue) => {
        for (const id of all) {
          expect(endpointFor({ green: 100 - blue, blue }, id)).toBe(
            endpointFor({ blue, green: 100 - blue }, id),
          );
        }
      }),
    );
  });

  it("stays with an endpoint whose share grows", () => {
    const shares = fc.tuple(fc.integer({ min: 0, max: 100 }), fc.integer({ min: 0, max: 100 }));
    fc.assert(
      fc.property(ids, shares, (all, [one, other]) => {
        const [less, more] = one < other ? [one, other] : [other, one];
        for (const id of all) {
          for (const [growing, rest] of [
            ["blue", "green"],
            ["green", "blue"],
          ] as const) {
            const before = endpointFor({ [growing]: less, [rest]: 100 - less }, id);
            const after = endpointFor({ [growing]: more, [rest]: 100 - more }, id);
            if (before === growing) expect(after).toBe(growing);
          }
        }
      }),
    );
  });

  it("is divided as the shares say", () => {
    const count = 20_000;
    let green = 0;
    for (let index = 0; index < count; index++) {
      if (endpointFor({ blue: 90, green: 10 }, `request-${index}`) === "green") green += 1;
    }
    // Four standard deviations of a binomial distribution.
    expect(Math.abs(green / count - 0.1)).toBeLessThan(4 * Math.sqrt((0.1 * 0.9) / count));
  });

  it("is divided alike whether versions make their features themselves or not, and names the answering one's transform", () => {
    const [one, other] = ["1".repeat(64), "2".repeat(64)];
    fc.assert(
      fc.property(ids, fc.integer({ min: 0, max: 100 }), (all, percent) => {
        const shares = {
          blue: { percent, transform: one },
          green: { percent: 100 - percent, transform: other },
        };
        for (const id of all) {
          const endpoint = endpointFor({ blue: percent, green: 100 - percent }, id);
          expect(shareFor(shares, id)).toEqual({ endpoint, transform: endpoint === "blue" ? one : other });
          expect(shareFor({ ...shares, blue: percent }, id)).toEqual(
            endpoint === "blue" ? { endpoint } : { endpoint, transform: other },
          );
        }
      }),
    );
  });

  it("goes nowhere without shares, and never to an endpoint without one", () => {
    expect(endpointFor({}, "a")).toBeUndefined();
    expect(endpointFor({ blue: 0 }, "a")).toBeUndefined();
    fc.assert(
      fc.property(ids, (all) => {
        for (const id of all) expect(endpointFor({ blue: 0, green: 100 }, id)).toBe("green");
      }),
    );
  });
});
