import { describe, expect, it } from "vitest";
import { verdictOn } from "../../../scripts/audit-dependencies/report.ts";

const on = (report: unknown) => verdictOn(JSON.stringify(report));

describe("the dependency audit", () => {
  it("passes a report without vulnerabilities, and says how much it covers", () => {
    expect(on({ vulnerabilities: {}, metadata: { dependencies: { prod: 362 } } })).toEqual({
      kind: "clean",
      packages: 362,
    });
  });

  it("refuses a vulnerability of any severity, and names the advisory or what leads to it", () => {
    const advisory = { title: "Reads too far", url: "https://github.com/advisories/GHSA-1" };
    const vulnerabilities = {
      ajar: { severity: "low", range: "<2", via: [advisory] },
      door: { severity: "low", range: "*", via: ["ajar"] },
    };
    expect(on({ vulnerabilities, metadata: {} })).toEqual({
      kind: "vulnerable",
      findings: [
        "low ajar <2: Reads too far (https://github.com/advisories/GHSA-1)",
        "low door *: through ajar",
      ],
    });
  });

  it("is not run by a registry that gives none, and doesn't repeat the registry's address", () => {
    const message = "405 Method Not Allowed - POST https://mirror.example.com/-/npm/v1/security";
    expect(on({ message, statusCode: 405, error: { summary: "" } })).toEqual({
      kind: "not run",
      why: "the registry answered the audit with 405",
    });
    expect(on({ message: "getaddrinfo ENOTFOUND mirror.example.com", error: { summary: "" } })).toEqual({
      kind: "not run",
      why: "the registry can't be reached",
    });
  });

  it("doesn't take what npm itself does wrong for a registry that gives none", () => {
    expect(() => on({ error: { code: "ENOLOCK", summary: "This command requires a lockfile" } })).toThrow(
      "ENOLOCK",
    );
    expect(() => verdictOn("")).toThrow();
  });
});
