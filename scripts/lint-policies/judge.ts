import type { Statement } from "../../programs/policy-document.ts";
import type { Exceptions, UnknownAction, WrongFinding } from "./exceptions.ts";
import type { RawFinding } from "./parliament.ts";

export interface Finding {
  /** The statement's Sid; undefined where it concerns the whole document. */
  readonly statement: string | undefined;
  readonly severity: RawFinding["severity"];
  readonly issue: string;
  readonly text: string;
}

/** A document in the form that parliament is given, and how to read its answer. */
export interface Prepared {
  readonly text: string;
  /** By line of `text`, counted from 1. */
  readonly lines: readonly (Partial<Statement> | undefined)[];
  readonly excepted: ReadonlySet<UnknownAction>;
}

export interface Verdict {
  readonly refused: readonly Finding[];
  readonly accepted: readonly Finding[];
  readonly excepted: ReadonlySet<WrongFinding>;
}

/**
 * Writes a document with one statement a line, which is how its findings are traced to statements.
 *
 * Actions that parliament's data is too old to know are left out: it would look no further at their statements. Trust and
 * repository policies name no resource, because they can only mean what carries them; parliament wants it said.
 */
export function prepare(statements: readonly Statement[], { actions }: Exceptions): Prepared {
  const excepted = new Set<UnknownAction>();
  const isKnown = (action: string) => {
    const exception = actions.find((entry) => entry.action === action);
    if (exception !== undefined) excepted.add(exception);
    return exception === undefined;
  };
  const kept = statements
    .map((statement) => ({ Resource: "*", ...statement, ...knownActions(statement, isKnown) }))
    .filter(({ Action }) => Action?.length !== 0);
  const texts = kept.map((statement) => JSON.stringify(statement));
  return {
    text: `{"Version":"2012-10-17","Statement":[\n${texts.join(",\n")}\n]}`,
    lines: [undefined, undefined, ...kept],
    excepted,
  };
}

/** Service control policies may have NotAction instead; then all actions but a few are meant, and none is looked up. */
function knownActions({ Action }: Partial<Statement>, isKnown: (action: string) => boolean) {
  return Action === undefined ? {} : { Action: [Action].flat().filter(isKnown) };
}

/** Sorts the findings of one document; what is said several times of a statement is told once. */
export function judge({ lines }: Prepared, raw: readonly RawFinding[], { findings }: Exceptions): Verdict {
  const excepted = new Set<WrongFinding>();
  const isRight = ({ issue, detail }: RawFinding) => {
    const exception = findings.find((entry) => entry.issue === issue && entry.detail.test(detail));
    if (exception !== undefined) excepted.add(exception);
    return exception === undefined;
  };
  const right = raw.flatMap((finding) => mismatches(finding, lines)).filter(isRight);
  const told = (found: readonly RawFinding[]) => {
    const texts = found.map((finding): [string, Finding] => [
      JSON.stringify(finding),
      toFinding(lines, finding),
    ]);
    return [...new Map(texts).values()];
  };
  return {
    refused: told(right.filter(isGrave)),
    accepted: told(right.filter((finding) => !isGrave(finding))),
    excepted,
  };
}

/** parliament calls them low, but it stops at such a statement: what else is wrong in it would stay unseen. */
const BLINDING = new Set(["UNKNOWN_ACTION", "UNKNOWN_PREFIX", "INVALID_SID"]);

function isGrave({ severity, issue }: RawFinding): boolean {
  return BLINDING.has(issue) || severity === "MEDIUM" || severity === "HIGH" || severity === "CRITICAL";
}

/**
 * Takes "no resource fits" apart, an action and a kind of resource each. Every action that is written out needs each kind, in this
 * statement or in another one of the document: IAM decides by resource, and parliament looks at one statement at a time. A
 * wildcard stands for the actions that fit its statement's resources; parliament blames it for each one that doesn't.
 */
function mismatches(finding: RawFinding, lines: Prepared["lines"]): readonly RawFinding[] {
  if (finding.issue !== "RESOURCE_MISMATCH") return [finding];
  const pairs = JSON.parse(finding.detail) as readonly { action: string; required_format: string }[];
  const own = finding.line === null ? undefined : lines[finding.line];
  return pairs
    .filter(({ action }) => names(own, action))
    .filter(
      ({ action, required_format: format }) =>
        !lines.some((line) => names(line, action) && fits(line, format)),
    )
    .map(({ action, required_format: format }) => ({ ...finding, detail: `${action} needs ${format}` }));
}

function names(statement: Partial<Statement> | undefined, action: string): boolean {
  if (statement?.Effect !== "Allow") return false;
  return [statement.Action ?? []].flat().some((name) => name.toLowerCase() === action.toLowerCase());
}

/** `format` is an ARN with asterisks, or only one where the action knows no resources. */
function fits(statement: Partial<Statement> | undefined, format: string): boolean {
  const resources = [statement?.Resource ?? []].flat();
  if (resources.includes("*")) return true;
  const literal = format.replaceAll(/[\\^$.+?()[\]{}|]/g, "\\$&");
  const pattern = new RegExp(`^${literal.replaceAll("*", ".*")}$`);
  return format !== "*" && resources.some((resource) => pattern.test(resource));
}

function toFinding(lines: Prepared["lines"], { line, severity, issue, title, detail }: RawFinding): Finding {
  return {
    statement: line === null ? undefined : lines[line]?.Sid,
    severity,
    issue,
    text: detail === "" ? title : `${title}: ${detail}`,
  };
}
