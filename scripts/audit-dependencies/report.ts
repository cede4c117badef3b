/** What npm says of one vulnerable package, as far as it is read here. */
interface Vulnerability {
  readonly severity: string;
  readonly range: string;
  /** Advisories, or the names of the packages through which it is vulnerable. */
  readonly via: readonly (string | { readonly title: string; readonly url: string })[];
}

interface Report {
  readonly vulnerabilities?: Readonly<Record<string, Vulnerability>>;
  readonly metadata?: { readonly dependencies?: { readonly prod?: number } };
  /** What became of a request that failed. */
  readonly message?: string;
  readonly statusCode?: number;
}

export type Verdict =
  | { readonly kind: "clean"; readonly packages: number }
  | { readonly kind: "vulnerable"; readonly findings: readonly string[] }
  | { readonly kind: "not run"; readonly why: string };

/** Reads what `npm audit --json` printed. A registry that gives no audit is no finding; whatever else can't be read throws. */
export function verdictOn(output: string): Verdict {
  const report = JSON.parse(output) as Report;
  const { vulnerabilities, metadata, message, statusCode } = report;
  if (vulnerabilities !== undefined) {
    const findings = Object.entries(vulnerabilities).map(findingOf);
    if (findings.length > 0) return { kind: "vulnerable", findings };
    return { kind: "clean", packages: metadata?.dependencies?.prod ?? 0 };
  }
  if (statusCode !== undefined) {
    return { kind: "not run", why: `the registry answered the audit with ${statusCode}` };
  }
  if (message !== undefined) return { kind: "not run", why: "the registry can't be reached" };
  throw new Error(`npm audit printed no report: ${output.slice(0, 500)}`);
}

function findingOf([name, { severity, range, via }]: [string, Vulnerability]): string {
  const causes = via.map((cause) =>
    typeof cause === "string" ? `through ${cause}` : `${cause.title} (${cause.url})`,
  );
  return `${severity} ${name} ${range}: ${causes.join("; ")}`;
}
