import { chmod, mkdir, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { parseConfig } from "../../src/config.ts";

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "aidlc-config-"));
});

afterEach(async () => {
  await chmod(folder, 0o700);
  await rm(folder, { recursive: true, force: true });
});

const parse = (environment: Record<string, string> = {}) =>
  parseConfig({ AIDLC_DATA_DIR: folder, ...environment });

function messageOf(environment: Record<string, string>): string {
  try {
    parse(environment);
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error("The configuration was accepted");
}

const modeOf = async (name: string) => (await stat(join(folder, name))).mode & 0o777;

describe("parseConfig", () => {
  it("starts with nothing set: the sandbox on loopback, state and database in the data folder", () => {
    expect(parse()).toMatchObject({
      dataDir: folder,
      host: "127.0.0.1",
      port: 8080,
      target: "sandbox",
      databaseUrl: undefined,
      backendUrl: `file://${folder}/state`,
      logLevel: "info",
    });
  });

  it("reports every problem in one error, each with the name of its variable", () => {
    const message = messageOf({
      AIDLC_PORT: "70000",
      AIDLC_TARGET: "azure",
      AIDLC_LOG_LEVEL: "loud",
      AIDLC_CONCURRENCY: "0",
      AIDLC_ENFORCED_POLICIES: "s3-versioning-enabled,no-such-policy",
      DATABASE_URL: "mysql://db",
      PULUMI_BACKEND_URL: "ftp://x",
      AIDLC_BOOTSTRAP_TOKEN: "short",
      AIDLC_OIDC_ISSUER: "ftp://issuer",
      AIDLC_OIDC_AUDIENCE: "aidlc",
      AIDLC_OIDC_CLOCK_SKEW_SECONDS: "301",
    });
    const names = [
      "AIDLC_PORT",
      "AIDLC_TARGET",
      "AIDLC_LOG_LEVEL",
      "AIDLC_CONCURRENCY",
      "AIDLC_ENFORCED_POLICIES",
      "DATABASE_URL",
      "PULUMI_BACKEND_URL",
      "AIDLC_BOOTSTRAP_TOKEN",
      "AIDLC_OIDC_ISSUER",
      "AIDLC_OIDC_CLOCK_SKEW_SECONDS",
    ];
    for (const name of names) expect(message).toContain(name);
    expect(message.trim().split("\n")).toHaveLength(names.length + 1);
  });

  it("starts a node that does everything, with as many places as it has cores and memory for", () => {
    const one = { AIDLC_MEMORY_MIB: "1300", AIDLC_CONCURRENCY: "8" };
    expect(parse(one)).toMatchObject({ role: "all", port: 8080, places: { changes: 1, checks: 1 } });
    const most = { AIDLC_MEMORY_MIB: "100000", AIDLC_CONCURRENCY: "8" };
    expect(parse(most).places).toEqual({ changes: 8, checks: 8 });
    expect(parse({ ...one, AIDLC_OPERATION_MEMORY_MIB: "300" }).places).toEqual({ changes: 2, checks: 2 });
    // The official plugin takes more than the sandbox.
    expect(messageOf({ ...one, AIDLC_TARGET: "aws" })).toContain("room for a change and a check");
    expect(messageOf({ AIDLC_MEMORY_MIB: "much" })).toContain('AIDLC_MEMORY_MIB="much"');
  });

  it("runs operations, or takes requests, where the database and the states are shared", () => {
    const database = { DATABASE_URL: "postgres://aidlc@db/aidlc" };
    expect(parse({ ...database, AIDLC_ROLE: "api" })).toMatchObject({
      role: "api",
      places: { changes: 0, checks: 0 },
    });
    const worker = { ...database, AIDLC_ROLE: "worker", PULUMI_BACKEND_URL: "postgres://aidlc@db/states" };
    expect(parse(worker)).toMatchObject({ role: "worker", port: 8081 });
    expect(messageOf({ AIDLC_ROLE: "api" })).toContain("AIDLC_ROLE=api needs DATABASE_URL");
    expect(messageOf({ ...worker, PULUMI_BACKEND_URL: "" })).toContain("needs PULUMI_BACKEND_URL");
    expect(messageOf({ AIDLC_ROLE: "boss" })).toContain('AIDLC_ROLE="boss": one of all, api, worker');
  });

  it("limits teams and identities generously unless told otherwise", () => {
    expect(parse()).toMatchObject({
      requestsPerMinute: 600,
      trustedProxies: [],
      teamLimits: { pipelines: 50, operationsPerDay: 1000, operationsAtOnce: 10, resources: 20_000 },
    });
    expect(
      parse({
        AIDLC_RATE_LIMIT_PER_MINUTE: "60",
        AIDLC_TRUSTED_PROXIES: "10.0.0.0/8, 2001:db8::1",
        AIDLC_TEAM_MAX_PIPELINES: "0",
        AIDLC_TEAM_MAX_OPERATIONS_PER_DAY: "10",
        AIDLC_TEAM_MAX_RESOURCES: "1000000",
      }),
    ).toMatchObject({
      requestsPerMinute: 60,
      trustedProxies: ["10.0.0.0/8", "2001:db8::1"],
      teamLimits: { pipelines: 0, operationsPerDay: 10, operationsAtOnce: 10, resources: 1_000_000 },
    });
  });

  it.each([
    ["AIDLC_RATE_LIMIT_PER_MINUTE", "0"],
    ["AIDLC_RATE_LIMIT_PER_MINUTE", "1e3"],
    ["AIDLC_TRUSTED_PROXIES", "true"],
    ["AIDLC_TRUSTED_PROXIES", "10.0.0.0/8,proxy.example.com"],
    ["AIDLC_TRUSTED_PROXIES", "10.0.0.0/33"],
    ["AIDLC_TEAM_MAX_PIPELINES", "-1"],
    ["AIDLC_TEAM_MAX_OPERATIONS_PER_DAY", "many"],
    ["AIDLC_TEAM_MAX_RESOURCES", "1000001"],
  ])("refuses %s=%s", (name, value) => {
    expect(messageOf({ [name]: value })).toContain(`${name}="${value}"`);
  });

  it("takes ids of policies with commas between them, none unless given", () => {
    expect(parse().enforcedPolicies).toEqual([]);
    expect(
      parse({ AIDLC_ENFORCED_POLICIES: " s3-inventory-enabled, lambda-in-vpc," }).enforcedPolicies,
    ).toEqual(["s3-inventory-enabled", "lambda-in-vpc"]);
  });

  it("has no bootstrap token unless one is given: the file admin-token is not for it to write", async () => {
    expect(parse().bootstrapToken).toBeUndefined();
    await expect(stat(join(folder, "admin-token"))).rejects.toThrow("ENOENT");
    expect(parse({ AIDLC_BOOTSTRAP_TOKEN: "0123456789abcdef" }).bootstrapToken).toBe("0123456789abcdef");
  });

  it("accepts access tokens of nobody, or of one issuer for one audience", () => {
    const issuer = { AIDLC_OIDC_ISSUER: "https://login.example.com/realms/ml/" };
    const audience = { AIDLC_OIDC_AUDIENCE: "aidlc" };
    expect(parse().oidc).toBeUndefined();
    expect(parse({ ...issuer, ...audience }).oidc).toEqual({
      issuer: "https://login.example.com/realms/ml/",
      audience: "aidlc",
      clockSkewSeconds: 30,
    });
    expect(messageOf(issuer)).toContain("AIDLC_OIDC_ISSUER and AIDLC_OIDC_AUDIENCE: set both or none");
    expect(messageOf(audience)).toContain("AIDLC_OIDC_ISSUER and AIDLC_OIDC_AUDIENCE: set both or none");
  });

  it.each([
    ["https://login.example.com", true],
    ["http://127.0.0.1:9000/ml", true],
    ["http://localhost:9000", true],
    ["http://[::1]:9000", true],
    ["http://login.example.com", false],
    ["http://127.0.0.1.example.com", false],
    ["http://localhost.example.com", false],
    ["https://user@login.example.com", false],
    ["https://login.example.com?realm=ml", false],
    ["https://login.example.com#ml", false],
    ["login.example.com", false],
  ])("takes %s as an issuer: %s", (issuer, usable) => {
    const read = () => parse({ AIDLC_OIDC_ISSUER: issuer, AIDLC_OIDC_AUDIENCE: "aidlc" }).oidc?.issuer;
    if (usable) expect(read()).toBe(issuer);
    else expect(read).toThrow("AIDLC_OIDC_ISSUER");
  });

  it("creates nothing when the configuration can't be used", async () => {
    messageOf({ AIDLC_PORT: "x" });
    await expect(stat(join(folder, "state-passphrase"))).rejects.toThrow("ENOENT");
  });

  it.each(["-1", "65536", "80.5", "x", " "])("refuses the port %j", (port) => {
    // A blank is what an unset variable of a template leaves; it must not become port 0.
    expect(() => parse({ AIDLC_PORT: port })).toThrow("AIDLC_PORT");
  });

  it("takes every whole number from 0 to 65535 as a port and no other", () => {
    fc.assert(
      fc.property(fc.integer({ min: -100_000, max: 200_000 }), (port) => {
        const usable = port >= 0 && port <= 65_535;
        const read = () =>
          parse({ AIDLC_PORT: String(port), AIDLC_STATE_PASSPHRASE: "0123456789abcdef" }).port;
        if (usable) expect(read()).toBe(port);
        else expect(read).toThrow("AIDLC_PORT");
      }),
      { numRuns: 50 },
    );
  });

  it("never repeats the secret of an address it refuses", () => {
    const secret = "s3cr3t-password";
    for (const name of ["DATABASE_URL", "PULUMI_BACKEND_URL", "AIDLC_OIDC_ISSUER"]) {
      const refused = { AIDLC_OIDC_AUDIENCE: "aidlc", [name]: `mysql://user:${secret}@db.internal/aidlc` };
      expect(messageOf(refused)).not.toContain(secret);
    }
    expect(messageOf({ AIDLC_BOOTSTRAP_TOKEN: "s3cr3t" })).not.toContain("s3cr3t");
  });

  it("can't be changed once it is parsed", () => {
    const config = parse();
    expect(() => Object.assign(config, { port: 1 })).toThrow(TypeError);
  });

  it("names the data folder and the remedy when it can't be created", async () => {
    await writeFile(join(folder, "file"), "");
    const dataDir = join(folder, "file", "data");
    expect(() => parseConfig({ AIDLC_DATA_DIR: dataDir })).toThrow(
      `The folder ${dataDir} can't be created: set AIDLC_DATA_DIR`,
    );
  });

  it("hands children nothing but the allow-listed part of the environment", () => {
    const config = parse({
      PATH: "/bin",
      AWS_REGION: "eu-central-1",
      AIDLC_BOOTSTRAP_TOKEN: "0123456789abcdef",
      PULUMI_OPTION_REFRESH: "true",
    });
    expect(config.childEnvironment).toEqual({
      PATH: "/bin",
      AWS_REGION: "eu-central-1",
      AWS_EC2_METADATA_DISABLED: "true",
    });
  });

  it("takes states in a bucket with the role that may use it, and the region from the address or the environment", () => {
    const roleArn = "arn:aws:iam::111122223333:role/aidlc-states";
    const states = (url: string, more = {}) =>
      parse({ PULUMI_BACKEND_URL: url, AIDLC_STATE_ROLE_ARN: roleArn, ...more }).stateRole;
    expect(states("s3://states/aidlc/?region=eu-west-1")).toEqual({
      roleArn,
      region: "eu-west-1",
      bucket: { bucket: "states", prefix: "aidlc/" },
    });
    expect(states("s3://states", { AWS_REGION: "eu-central-1" })).toMatchObject({
      region: "eu-central-1",
      bucket: { prefix: "" },
    });
    expect(parse().stateRole).toBeUndefined();
  });

  it("refuses states in a bucket without a role: engines would need the service's own identity", () => {
    const url = "s3://states?region=eu-west-1";
    expect(messageOf({ PULUMI_BACKEND_URL: url })).toContain("AIDLC_STATE_ROLE_ARN must name the role");
    expect(messageOf({ PULUMI_BACKEND_URL: url, AIDLC_STATE_ROLE_ARN: "x" })).toContain(
      "AIDLC_STATE_ROLE_ARN",
    );
    const roleArn = "arn:aws:iam::111122223333:role/aidlc-states";
    expect(messageOf({ PULUMI_BACKEND_URL: "s3://states", AIDLC_STATE_ROLE_ARN: roleArn })).toContain(
      "region",
    );
    expect(messageOf({ AIDLC_STATE_ROLE_ARN: roleArn })).toContain("s3:// only");
  });

  it("knows which of its settings are secrets, so that no log holds them", () => {
    const { secrets, statePassphrase } = parse({
      DATABASE_URL: "postgres://aidlc:p%40ssw0rd@db/aidlc",
      AWS_SECRET_ACCESS_KEY: "planted-secret-key",
      AIDLC_BOOTSTRAP_TOKEN: "0123456789abcdef",
    });
    for (const secret of [
      "p@ssw0rd",
      "p%40ssw0rd",
      "planted-secret-key",
      "0123456789abcdef",
      statePassphrase,
    ])
      expect(secrets).toContain(secret);
  });
});

describe("secrets of the data folder", () => {
  it("can be read by their owner alone", async () => {
    parse();
    expect(await modeOf("state-passphrase")).toBe(0o600);
  });

  it("make the data folder private when it is created", async () => {
    parse({ AIDLC_DATA_DIR: join(folder, "new") });
    expect(await modeOf("new")).toBe(0o700);
    expect(await modeOf("new/state")).toBe(0o700);
  });

  it("stay the same over restarts", () => {
    const first = parse();
    const second = parse();
    expect(second.statePassphrase).toBe(first.statePassphrase);
    expect(second.node).toBe(first.node);
  });

  it("differ from each other and between folders, and are hard to guess", async () => {
    const here = parse();
    await mkdir(join(folder, "other"));
    const there = parse({ AIDLC_DATA_DIR: join(folder, "other") });
    const secrets = [here.statePassphrase, there.statePassphrase];
    expect(new Set(secrets).size).toBe(2);
    for (const secret of secrets) expect(Buffer.from(secret, "base64url").length).toBeGreaterThanOrEqual(32);
    expect(here.node).not.toBe(there.node);
  });

  it("are what the files hold, so that an operator can back them up", async () => {
    const { statePassphrase } = parse();
    expect((await readFile(join(folder, "state-passphrase"), "utf8")).trim()).toBe(statePassphrase);
  });

  it("refuse to start with an empty state-passphrase", async () => {
    // A crash between creating and writing the file leaves it empty: every stack's secrets would be open to all.
    await writeFile(join(folder, "state-passphrase"), "\n");
    expect(() => parse()).toThrow("state-passphrase");
  });

  it("give way to what the environment says", async () => {
    const config = parse({ AIDLC_STATE_PASSPHRASE: "open sesame" });
    expect(config.statePassphrase).toBe("open sesame");
    await expect(stat(join(folder, "state-passphrase"))).rejects.toThrow("ENOENT");
  });
});
