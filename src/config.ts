import { randomBytes, randomUUID } from "node:crypto";
import { existsSync, linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join, resolve } from "node:path";
import ipaddr from "ipaddr.js";
import { policies } from "../programs/policies/index.ts";
import { isIssuerUrl, type OidcConfig } from "./access/oidc.ts";
import { parseStateBucket } from "./aws/state-bucket.ts";
import { childEnvironment } from "./engine/environment.ts";
import { parseNode } from "./nodes/config.ts";
import type { NodeRecord, NodeRole } from "./nodes/store.ts";
import type { StateRole } from "./operations/run-credentials.ts";
import { type OperationLimits, parseLimits } from "./recovery/config.ts";
import { passwordsIn } from "./redaction.ts";
import { maxTeamLimit, type TeamLimits } from "./teams/quotas.ts";

export const targets = ["sandbox", "aws"] as const;
export type Target = (typeof targets)[number];

/** Everything the service is told from outside, parsed once. */
export interface Config {
  readonly dataDir: string;
  readonly host: string;
  readonly port: number;
  readonly target: Target;
  /** Undefined: a PostgreSQL server of our own in the data folder. */
  readonly databaseUrl: string | undefined;
  readonly backendUrl: string;
  /** Set for an s3:// backend: whoever works on a stack gets a session of this role, which is limited to that stack. */
  readonly stateRole: StateRole | undefined;
  /** What is exchanged once for the first administrator's key; undefined: the first start makes that key itself. */
  readonly bootstrapToken: string | undefined;
  /** The issuer whose access tokens are accepted; undefined: only API keys are. */
  readonly oidc: OidcConfig | undefined;
  /** Protects the secrets in every stack's state; each stack gets a passphrase derived from it. */
  readonly statePassphrase: string;
  readonly operationLimits: OperationLimits;
  readonly role: NodeRole;
  /** Operations of this node that run at the same time. */
  readonly places: NodeRecord["places"];
  /** Operations of each lane that run at once in one account of AWS, on all nodes together. */
  readonly accountOperationsAtOnce: number;
  /** Stable across restarts, so that a node finds the operations that a crash of its own left behind. */
  readonly node: string;
  /** Ids of policies that are mandatory although a profile only advises them. */
  readonly enforcedPolicies: readonly string[];
  /** Requests that one identity may send to this node. */
  readonly requestsPerMinute: number;
  /** Whether webhooks may be http:// addresses of this machine: for tests and development. */
  readonly localWebhooks: boolean;
  /** Addresses and networks of proxies that are believed when they say who calls. */
  readonly trustedProxies: readonly string[];
  /** What a team may have that has no limits of its own. */
  readonly teamLimits: TeamLimits;
  readonly logLevel: string;
  /** What must not stand in a log, wherever it comes from. */
  readonly secrets: readonly string[];
  /** The allow-listed part of the environment for runners, engines and providers. */
  readonly childEnvironment: Readonly<Record<string, string>>;
}

type Environment = Readonly<Record<string, string | undefined>>;

const logLevels = ["fatal", "error", "warn", "info", "debug", "trace", "silent"];

/**
 * Parses the environment and creates the data folder with the secret a first start needs. Throws one error that lists
 * every problem.
 */
export function parseConfig(environment: Environment): Config {
  const problems: string[] = [];
  const read = <Value>(
    name: string,
    fallback: string,
    parse: (text: string) => Value | undefined,
    hint: string,
  ) => {
    const text = environment[name] || fallback;
    const value = parse(text);
    if (value === undefined) problems.push(`${name}="${text}": ${hint}`);
    return value as Value;
  };
  const port = read(
    "AIDLC_PORT",
    environment.AIDLC_ROLE === "worker" ? "8081" : "8080",
    integerIn(0, 65_535),
    "a port from 0 to 65535",
  );
  const target = read("AIDLC_TARGET", "sandbox", oneOf(targets), `one of ${targets.join(", ")}`);
  const logLevel = read("AIDLC_LOG_LEVEL", "info", oneOf(logLevels), `one of ${logLevels.join(", ")}`);
  const concurrency = read(
    "AIDLC_CONCURRENCY",
    String(Math.max(2, availableParallelism())),
    integerIn(1, 64),
    "how many operations of each lane run at once, from 1 to 64",
  );
  const { role, places } = parseNode(environment, target, concurrency, problems);
  const enforcedPolicies = read(
    "AIDLC_ENFORCED_POLICIES",
    "",
    policyIds,
    "ids of policies, with commas between them: GET /v1/policies lists them",
  );
  const requestsPerMinute = read(
    "AIDLC_RATE_LIMIT_PER_MINUTE",
    "600",
    integerIn(1, 1_000_000),
    "requests of one identity, from 1 to 1000000",
  );
  const trustedProxies = read(
    "AIDLC_TRUSTED_PROXIES",
    "",
    networks,
    "IP addresses and networks of proxies, with commas, such as 10.0.0.0/8",
  );
  const localWebhooks =
    read(
      "AIDLC_WEBHOOKS_LOCAL",
      "off",
      oneOf(["on", "off"]),
      "on, for tests and development only, or off",
    ) === "on";
  const most = (name: string, fallback: number) =>
    read(name, String(fallback), integerIn(0, maxTeamLimit), `a number from 0 to ${maxTeamLimit}`);
  const atOnce = (name: string) =>
    read(name, "10", integerIn(1, maxTeamLimit), `operations that run at once, from 1 to ${maxTeamLimit}`);
  const accountOperationsAtOnce = atOnce("AIDLC_ACCOUNT_MAX_OPERATIONS_AT_ONCE");
  const teamLimits: TeamLimits = {
    pipelines: most("AIDLC_TEAM_MAX_PIPELINES", 50),
    operationsPerDay: most("AIDLC_TEAM_MAX_OPERATIONS_PER_DAY", 1_000),
    operationsAtOnce: atOnce("AIDLC_TEAM_MAX_OPERATIONS_AT_ONCE"),
    resources: most("AIDLC_TEAM_MAX_RESOURCES", 20_000),
  };
  const operationLimits = parseLimits(environment, problems);
  const databaseUrl = environment.DATABASE_URL || undefined;
  if (databaseUrl && !/^postgres(ql)?:\/\//.test(databaseUrl)) {
    problems.push("DATABASE_URL must begin with postgres:// or postgresql://");
  }
  const dataDir = resolve(environment.AIDLC_DATA_DIR || ".aidlc");
  const backendUrl = environment.PULUMI_BACKEND_URL || `file://${join(dataDir, "state")}`;
  if (!/^(file|s3|azblob|gs|postgres):\/\//.test(backendUrl)) {
    problems.push(
      `PULUMI_BACKEND_URL="${backendUrl.split("://")[0]}://…": a file://, s3://, gs://, azblob:// or postgres:// address`,
    );
  }
  const stateRole = parseStateRole(environment, backendUrl, problems);
  const bootstrapToken = environment.AIDLC_BOOTSTRAP_TOKEN || undefined;
  if (bootstrapToken !== undefined && !/^\S{16,}$/.test(bootstrapToken)) {
    problems.push("AIDLC_BOOTSTRAP_TOKEN must have at least 16 characters and no space");
  }
  const clockSkewSeconds = read(
    "AIDLC_OIDC_CLOCK_SKEW_SECONDS",
    "30",
    integerIn(0, 300),
    "seconds by which the issuer's clock may differ, from 0 to 300",
  );
  const oidc = parseOidc(environment, clockSkewSeconds, problems);
  if (problems.length > 0) throw new Error(`The configuration can't be used:\n  ${problems.join("\n  ")}`);

  makeFolder(dataDir);
  if (backendUrl === `file://${join(dataDir, "state")}`) makeFolder(join(dataDir, "state"));
  const statePassphrase =
    environment.AIDLC_STATE_PASSPHRASE || storedText(join(dataDir, "state-passphrase"), newSecret);
  return Object.freeze({
    dataDir,
    host: environment.AIDLC_HOST || "127.0.0.1",
    port,
    target,
    databaseUrl,
    backendUrl,
    stateRole,
    bootstrapToken,
    oidc,
    statePassphrase,
    operationLimits,
    role,
    places,
    node: storedText(join(dataDir, "node-id"), randomUUID),
    enforcedPolicies,
    requestsPerMinute,
    trustedProxies,
    localWebhooks,
    teamLimits,
    accountOperationsAtOnce,
    logLevel,
    secrets: [statePassphrase, ...secretsIn(environment)],
    childEnvironment: childEnvironment(environment, backendUrl),
  });
}

function secretsIn(environment: Environment): string[] {
  const values = [
    environment.AIDLC_BOOTSTRAP_TOKEN,
    environment.AWS_SECRET_ACCESS_KEY,
    environment.AWS_SESSION_TOKEN,
    environment.AWS_CONTAINER_AUTHORIZATION_TOKEN,
  ];
  const addresses = [environment.DATABASE_URL ?? "", environment.PULUMI_BACKEND_URL ?? ""];
  return [...values.filter((value) => value !== undefined), ...addresses.flatMap(passwordsIn)];
}

/** The issuer and the audience belong together: without an audience, tokens for any service of the issuer would be accepted. */
function parseOidc(
  { AIDLC_OIDC_ISSUER: issuer, AIDLC_OIDC_AUDIENCE: audience }: Environment,
  clockSkewSeconds: number,
  problems: string[],
): OidcConfig | undefined {
  if (!issuer && !audience) return undefined;
  if (!issuer || !audience) {
    problems.push("AIDLC_OIDC_ISSUER and AIDLC_OIDC_AUDIENCE: set both or none");
    return undefined;
  }
  if (!isIssuerUrl(issuer)) {
    // Not repeated: its user part may be a secret.
    problems.push(
      "AIDLC_OIDC_ISSUER must be an https:// address (http:// only for this machine) without user, query and fragment",
    );
  }
  return { issuer, audience, clockSkewSeconds };
}

// The session's policy names the folder six times, and holds 2,048 characters.
const longestStateFolder = 60;

/** Without a role the engines would have to work with the service's own identity, which may read every state. */
function parseStateRole(
  environment: Environment,
  backendUrl: string,
  problems: string[],
): StateRole | undefined {
  const roleArn = environment.AIDLC_STATE_ROLE_ARN;
  if (!backendUrl.startsWith("s3://")) {
    if (roleArn) problems.push("AIDLC_STATE_ROLE_ARN is for states in s3:// only: leave it out");
    return undefined;
  }
  if (!roleArn || !/^arn:aws[a-z-]*:iam::\d{12}:role\/[\w+=,.@/-]+$/.test(roleArn)) {
    problems.push(
      "AIDLC_STATE_ROLE_ARN must name the role that may read and write the bucket of PULUMI_BACKEND_URL: see docs/production.md",
    );
    return undefined;
  }
  const { region = environment.AWS_REGION || environment.AWS_DEFAULT_REGION, ...bucket } =
    parseStateBucket(backendUrl);
  if (!region) {
    problems.push("PULUMI_BACKEND_URL must name the bucket's region: s3://BUCKET?region=REGION");
    return undefined;
  }
  if (bucket.prefix.length > longestStateFolder) {
    problems.push(
      `PULUMI_BACKEND_URL: a folder in a bucket may have ${longestStateFolder} characters at most`,
    );
  }
  return { roleArn, region, bucket };
}

function integerIn(low: number, high: number) {
  return (text: string): number | undefined => {
    const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
    return value >= low && value <= high ? value : undefined;
  };
}

function networks(text: string): string[] | undefined {
  const given = listed(text);
  return given.every((network) => ipaddr.isValidCIDR(network) || ipaddr.isValid(network)) ? given : undefined;
}

function policyIds(text: string): string[] | undefined {
  const ids = listed(text);
  return ids.every((id) => policies.some((policy) => policy.id === id)) ? ids : undefined;
}

function listed(text: string): string[] {
  return text
    .split(",")
    .map((item) => item.trim())
    .filter((item) => item !== "");
}

function oneOf<const Options extends readonly string[]>(options: Options) {
  return (text: string): Options[number] | undefined => options.find((option) => option === text);
}

function makeFolder(path: string): void {
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 });
  } catch (cause) {
    throw new Error(`The folder ${path} can't be created: set AIDLC_DATA_DIR to one that can be written`, {
      cause,
    });
  }
}

const newSecret = () => randomBytes(32).toString("base64url");

/** Reads the text in `path`; the first start writes what `create` gives, for nobody but the owner to read. */
function storedText(path: string, create: () => string): string {
  const draft = `${path}.${process.pid}`;
  if (!existsSync(path)) {
    // Linked into place when it is whole: a crash or a full disk must not leave an empty secret that everybody knows.
    writeFileSync(draft, `${create()}\n`, { mode: 0o600 });
    try {
      linkSync(draft, path);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    } finally {
      rmSync(draft);
    }
  }
  const text = readFileSync(path, "utf8").trim();
  if (text.length < 16)
    throw new Error(`${path} is empty or cut short: restore it from a backup, or delete it`);
  return text;
}
