import { describe, expect, it } from "vitest";
import { CONTROLS, FRAMEWORK_RULES } from "../../programs/frameworks.ts";
import {
  classificationProblems,
  frameworkProblems,
  profileProblems,
} from "../../programs/spec/protection-rules.ts";
import { FRAMEWORKS, type PipelineSpec, specProblems } from "../../programs/spec.ts";
import { changeProblems, regionProblems } from "../../programs/spec-changes.ts";
import { aSpec } from "./support/inputs.ts";

type Change = Parameters<typeof aSpec>[0];

const ALERTED: Change = { alerts: { emails: ["ada@example.com"] } };
const PRODUCTION: Change = {
  profile: "production",
  dataset: { replicaRegion: "eu-central-1" },
  alerts: { emails: ["ada@example.com"] },
};
const RESTRICTED: Change = {
  ...PRODUCTION,
  dataClassification: "restricted",
  network: { dedicated: true },
  monitoring: { logRetentionDays: 365 },
};

const problems = (spec: PipelineSpec) => [
  ...profileProblems(spec),
  ...classificationProblems(spec),
  ...frameworkProblems(spec),
];
const paths = (change: Change) => problems(aSpec(change)).map(({ path }) => path);

describe("the profile production", () => {
  it("needs a replica region and somebody to alert", () => {
    expect(paths({ profile: "production" })).toEqual(["/dataset/replicaRegion", "/alerts"]);
    expect(paths(PRODUCTION)).toEqual([]);
  });

  it("is content with a webhook, unless the data is confidential", () => {
    const alerts = { emails: [], webhooks: ["https://alerts.example"] };
    expect(paths({ ...PRODUCTION, alerts })).toEqual([]);
    expect(paths({ ...PRODUCTION, alerts, dataClassification: "confidential" })).toEqual(["/alerts/emails"]);
  });
});

describe("the profile learning", () => {
  it("may have replicas as well", () => {
    expect(paths({ dataset: { replicaRegion: "eu-central-1" } })).toEqual([]);
  });

  it("is not for restricted data", () => {
    expect(paths({ ...RESTRICTED, profile: "learning" })).toEqual(["/profile"]);
    expect(paths(RESTRICTED)).toEqual([]);
  });
});

describe("a framework", () => {
  it.each([
    ["gdpr", { dataClassification: "public" }, ["/dataClassification", "/alerts/emails"]],
    ["gdpr", ALERTED, []],
    ["hipaa", {}, ["/dataClassification", "/alerts/emails", "/dataset/replicaRegion"]],
    ["hipaa", { ...PRODUCTION, dataClassification: "confidential" }, []],
    ["soc2", {}, ["/alerts/emails"]],
    ["pci-dss", ALERTED, ["/dataClassification", "/monitoring/logRetentionDays", "/dataset/replicaRegion"]],
    ["pci-dss", RESTRICTED, []],
  ] as const)("%s tells what %j lacks", (framework, change, lacking) => {
    expect(paths({ ...change, frameworks: [framework] })).toEqual(lacking);
  });

  it("names the clause that demands it", () => {
    const spec = aSpec({ ...RESTRICTED, monitoring: { logRetentionDays: 90 }, frameworks: ["pci-dss"] });
    expect(specProblems(spec).map(({ message }) => message)).toContain(
      "must be at least 365 (PCI DSS 4.0.1, 10.5.1)",
    );
  });

  it.each(FRAMEWORKS)("%s demands by its own clauses only, and each of them is answered", (framework) => {
    const { clauses, spec, source } = FRAMEWORK_RULES[framework];
    const ids = clauses.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    for (const { clause } of Object.values(spec)) expect(ids).toContain(clause);
    for (const { controls } of clauses) expect(controls.length).toBeGreaterThan(0);
    expect(URL.canParse(source)).toBe(true);
  });

  it("brings every control that pipelines have, between them all", () => {
    const brought = FRAMEWORKS.flatMap((framework) =>
      FRAMEWORK_RULES[framework].clauses.flatMap(({ controls }) => controls),
    );
    expect(new Set(brought)).toEqual(new Set(Object.keys(CONTROLS)));
  });
});

describe("the replica region", () => {
  const inRegion = (replicaRegion: string) => aSpec({ dataset: { replicaRegion } });

  it("is another one than the account's, in the same partition", () => {
    expect([...regionProblems(inRegion("eu-central-1"), "eu-west-1")]).toEqual([]);
    for (const refused of ["eu-west-1", "us-gov-west-1"]) {
      expect([...regionProblems(inRegion(refused), "eu-west-1")].map(({ path }) => path)).toEqual([
        "/dataset/replicaRegion",
      ]);
    }
    expect([...regionProblems(aSpec(), "eu-west-1")]).toEqual([]);
  });

  it("can be added, but neither changed nor removed: replicas hold data", () => {
    expect([...changeProblems(aSpec(), inRegion("eu-central-1"))]).toEqual([]);
    expect([...changeProblems(inRegion("eu-central-1"), inRegion("eu-central-1"))]).toEqual([]);
    for (const after of [aSpec(), inRegion("eu-south-1")]) {
      expect([...changeProblems(inRegion("eu-central-1"), after)]).toHaveLength(1);
    }
  });
});
