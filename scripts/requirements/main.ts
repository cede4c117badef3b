import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { policies } from "../../programs/policies/index.ts";
import { referenceRuns } from "../programs/reference-runs.ts";
import { type Evidence, evidenceFor, unasked } from "./evidence.ts";
import { REQUIREMENTS } from "./rows/index.ts";
import { requirementsPage } from "./table.ts";

const page = new URL("../../docs/requirements.md", import.meta.url);
const tests = new URL("../../test/", import.meta.url);

const { values } = parseArgs({ options: { check: { type: "boolean", default: false } } });
const runs = (await referenceRuns()).map(({ program, profile, run }) => ({
  program,
  profile,
  resources: run.resources.filter(({ type }) => type.startsWith("aws:")),
}));
const evidence: Evidence = {
  runs,
  policies: new Set(policies.map(({ id }) => id)),
  testText: (file) =>
    existsSync(new URL(file, tests)) ? readFileSync(new URL(file, tests), "utf8") : undefined,
};
const found = Object.fromEntries(
  Object.entries(REQUIREMENTS).map(([phase, rows]) => [phase, rows.map((row) => evidenceFor(row, evidence))]),
);
const problems = Object.values(found).flatMap((rows) => rows.flatMap((row) => row.problems));
const text = requirementsPage(found, unasked(Object.values(REQUIREMENTS).flat(), runs));
if (!values.check) writeFileSync(page, text);
else if (!existsSync(page) || readFileSync(page, "utf8") !== text) {
  problems.push("docs/requirements.md is not current: run npm run requirements");
}
for (const problem of problems) process.stderr.write(`${problem}\n`);
process.exitCode = problems.length > 0 ? 1 : 0;
