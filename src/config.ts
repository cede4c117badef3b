import { randomBytes, randomUUID } from "node:crypto";
import { existsSync, linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism, hostname } from "node:os";
import { join, resolve } from "node:path";
import { policies } from "../programs/policies/index.ts";
import { childEnvironment } from "./engine/environment.ts";

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
  /** The administrator's bearer token. */
  readonly adminToken: string;
  /** Protects the secrets in every stack's state; each stack gets a passphrase derived from it. */
  readonly statePassphrase: string;
  /** Operations of this node that run at the same time. */
  readonly concurrency: number;
  /** Stable across restarts, so that a node finds the operations that a crash of its own left behind. */
  readonly node: string;
  /** Ids of policies that are mandatory although a profile only advises them. */
  readonly enforcedPolicies: readonly string[];
  readonly logLevel: string;
  /** The allow-listed part of the environment for runners, engines and providers. */
  readonly childEnvironment: Readonly<Record<string, string>>;
}

type Environment = Readonly<Record<string, string | undefined>>;

const logLevels = ["fatal", "error", "warn", "info", "debug", "trace", "silent"];

/**
 * Parses the environment and creates the data folder with the two secrets a first start needs. Throws one error that lists
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
  const port = read("AIDLC_PORT", "8080", integerIn(0, 65_535), "a port from 0 to 65535");
  const target = read("AIDLC_TARGET", "sandbox", oneOf(targets), `one of ${targets.join(", ")}`);
  const logLevel = read("AIDLC_LOG_LEVEL", "info", oneOf(logLevels), `one of ${logLevels.join(", ")}`);
  const concurrency = read(
    "AIDLC_CONCURRENCY",
    String(Math.max(2, availableParallelism())),
    integerIn(1, 64),
    "how many operations run at once, from 1 to 64",
  );
  const enforcedPolicies = read(
    "AIDLC_ENFORCED_POLICIES",
    "",
    policyIds,
    "ids of policies, with commas between them: GET /v1/policies lists them",
  );
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
  const token = environment.AIDLC_BOOTSTRAP_TOKEN;
  if (token && !/^\S{16,}$/.test(token)) {
    problems.push("AIDLC_BOOTSTRAP_TOKEN must have at least 16 characters and no space");
  }
  if (problems.length > 0) throw new Error(`The configuration can't be used:\n  ${problems.join("\n  ")}`);

  makeFolder(dataDir);
  if (backendUrl === `file://${join(dataDir, "state")}`) makeFolder(join(dataDir, "state"));
  return Object.freeze({
    dataDir,
    host: environment.AIDLC_HOST || "127.0.0.1",
    port,
    target,
    databaseUrl,
    backendUrl,
    adminToken: token || storedText(join(dataDir, "admin-token"), newSecret),
    statePassphrase:
      environment.AIDLC_STATE_PASSPHRASE || storedText(join(dataDir, "state-passphrase"), newSecret),
    concurrency,
    node: `${hostname()}/${storedText(join(dataDir, "node-id"), randomUUID)}`,
    enforcedPolicies,
    logLevel,
    childEnvironment: childEnvironment(environment),
  });
}

function integerIn(low: number, high: number) {
  return (text: string): number | undefined => {
    const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
    return value >= low && value <= high ? value : undefined;
  };
}

function policyIds(text: string): string[] | undefined {
  const ids = text
    .split(",")
    .map((id) => id.trim())
    .filter((id) => id !== "");
  return ids.every((id) => policies.some((policy) => policy.id === id)) ? ids : undefined;
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
