import { type FoundDocument, policyDocuments } from "../programs/policy-documents.ts";
import { type ReferenceRun, referenceRuns } from "../programs/reference-runs.ts";
import { EXCEPTIONS } from "./exceptions.ts";
import { judge, prepare, type Verdict } from "./judge.ts";
import { ensureParliament, lintDocuments } from "./parliament.ts";

/** A document and the runs in which it is registered to the letter. */
interface Carried extends FoundDocument {
  readonly runs: readonly string[];
}

function distinctDocuments(runs: readonly ReferenceRun[]): readonly Carried[] {
  const found = runs.flatMap(({ title, run }) =>
    policyDocuments(run).map((document) => ({ document, title })),
  );
  const same = Map.groupBy(found, ({ document }) => `${document.where}\n${document.text}`);
  return [...same.values()].flatMap(([first, ...others]) =>
    first === undefined ? [] : [{ ...first.document, runs: [first, ...others].map(({ title }) => title) }],
  );
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** One line for each finding at one place, however many variants of the document it is in. */
function report(documents: readonly Carried[], verdicts: readonly Verdict[]): void {
  const lines = documents.flatMap(({ where, runs }, index) =>
    (verdicts[index]?.refused ?? []).map(({ severity, issue, statement, text }) => ({
      line: `${where}\n  ${severity} ${issue} in ${statement ?? "the whole document"}: ${text}`,
      runs,
    })),
  );
  for (const [line, places] of Map.groupBy(lines, (entry) => entry.line)) {
    const [first = "", ...others] = new Set(places.flatMap(({ runs }) => runs));
    print(`${line}\n  seen in: ${first}${others.length === 0 ? "" : ` and ${others.length} other runs`}`);
  }
}

// biome-ignore lint/style/noProcessEnv: a command of its own; Python gets it as it is
const env = process.env;
const python = await ensureParliament(env);
const documents = distinctDocuments(await referenceRuns());
const prepared = documents.map(({ statements }) => prepare(statements, EXCEPTIONS));
const texts = prepared.map(({ text }) => text);
const raw = await lintDocuments(python, texts, env);
const verdicts = prepared.map((document, index) => judge(document, raw[index] ?? [], EXCEPTIONS));
report(documents, verdicts);

const needed = new Set<unknown>([...prepared, ...verdicts].flatMap(({ excepted }) => [...excepted]));
const unneeded = [...EXCEPTIONS.actions, ...EXCEPTIONS.findings].filter((entry) => !needed.has(entry));
for (const entry of unneeded) {
  const what = "action" in entry ? entry.action : `${entry.issue} ${entry.detail}`;
  print(`No document needs the exception for ${what} any more: remove it`);
}
const refused = verdicts.reduce((sum, verdict) => sum + verdict.refused.length, 0);
const accepted = verdicts.reduce((sum, verdict) => sum + verdict.accepted.length, 0);
print(`${documents.length} policy documents: ${refused} findings above low, ${accepted} low`);
process.exitCode = refused + unneeded.length > 0 ? 1 : 0;
