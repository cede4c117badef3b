import { describe, expect, it } from "vitest";
import { tally } from "../../.ci/tally.mjs";

const file = (status: string, ...tests: string[]) => ({
  status,
  assertionResults: tests.map((test) => ({ status: test })),
});

describe("the count that ends .ci/run", () => {
  it("counts passed and failed tests over all files, and skipped ones as neither", () => {
    const report = { testResults: [file("passed", "passed", "skipped"), file("failed", "passed", "failed")] };
    expect(tally(report, 1)).toEqual({ passed: 2, failed: 1 });
  });

  it("counts a file that could not be loaded as a failure", () => {
    const report = { testResults: [file("passed", "passed"), file("failed")] };
    expect(tally(report, 1)).toEqual({ passed: 1, failed: 1 });
  });

  it("counts an error outside the tests as a failure although every test passed", () => {
    expect(tally({ testResults: [file("passed", "passed")] }, 1)).toEqual({ passed: 1, failed: 1 });
  });

  it("is a failure when no test ran, when all were skipped, and when vitest wrote no report", () => {
    expect(tally({ testResults: [] }, 0)).toEqual({ passed: 0, failed: 1 });
    expect(tally({ testResults: [file("passed", "skipped")] }, 0)).toEqual({ passed: 0, failed: 1 });
    expect(tally(undefined, 0)).toEqual({ passed: 0, failed: 1 });
  });

  it("has no failure when every test passed and vitest ended well", () => {
    expect(tally({ testResults: [file("passed", "passed", "passed")] }, 0)).toEqual({ passed: 2, failed: 0 });
  });
});
