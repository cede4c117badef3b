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
    ];
    for (const name of names) expect(message).toContain(name);
    expect(message.trim().split("\n")).toHaveLength(names.length + 1);
  });

  it("takes ids of policies with commas between them, none unless given", () => {
    expect(parse().enforcedPolicies).toEqual([]);
    expect(
      parse({ AIDLC_ENFORCED_POLICIES: " s3-inventory-enabled, lambda-in-vpc," }).enforcedPolicies,
    ).toEqual(["s3-inventory-enabled", "lambda-in-vpc"]);
  });

  it("creates nothing when the configuration can't be used", async () => {
    messageOf({ AIDLC_PORT: "x" });
    await expect(stat(join(folder, "admin-token"))).rejects.toThrow("ENOENT");
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
          parse({ AIDLC_PORT: String(port), AIDLC_BOOTSTRAP_TOKEN: "0123456789abcdef" }).port;
        if (usable) expect(read()).toBe(port);
        else expect(read).toThrow("AIDLC_PORT");
      }),
      { numRuns: 50 },
    );
  });

  it("never repeats the secret of an address it refuses", () => {
    const secret = "s3cr3t-password";
    for (const name of ["DATABASE_URL", "PULUMI_BACKEND_URL"]) {
      expect(messageOf({ [name]: `mysql://user:${secret}@db.internal/aidlc` })).not.toContain(secret);
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
    expect(config.childEnvironment).toEqual({ PATH: "/bin", AWS_REGION: "eu-central-1" });
  });
});

describe("secrets of the data folder", () => {
  it.each(["admin-token", "state-passphrase"])("%s can be read by its owner alone", async (name) => {
    parse();
    expect(await modeOf(name)).toBe(0o600);
  });

  it("make the data folder private when it is created", async () => {
    parse({ AIDLC_DATA_DIR: join(folder, "new") });
    expect(await modeOf("new")).toBe(0o700);
    expect(await modeOf("new/state")).toBe(0o700);
  });

  it("stay the same over restarts", () => {
    const first = parse();
    const second = parse();
    expect(second.adminToken).toBe(first.adminToken);
    expect(second.statePassphrase).toBe(first.statePassphrase);
    expect(second.node).toBe(first.node);
  });

  it("differ from each other and between folders, and are hard to guess", async () => {
    const here = parse();
    await mkdir(join(folder, "other"));
    const there = parse({ AIDLC_DATA_DIR: join(folder, "other") });
    const secrets = [here.adminToken, here.statePassphrase, there.adminToken, there.statePassphrase];
    expect(new Set(secrets).size).toBe(4);
    for (const secret of secrets) expect(Buffer.from(secret, "base64url").length).toBeGreaterThanOrEqual(32);
    expect(here.node).not.toBe(there.node);
  });

  it("are what the files hold, so that an operator can read the token", async () => {
    const { adminToken } = parse();
    expect((await readFile(join(folder, "admin-token"), "utf8")).trim()).toBe(adminToken);
  });

  it.each(["admin-token", "state-passphrase"])("refuse to start with an empty %s", async (name) => {
    // A crash between creating and writing the file leaves it empty: an empty password would open the door.
    await writeFile(join(folder, name), "\n");
    expect(() => parse()).toThrow(name);
  });

  it("give way to what the environment says", async () => {
    const config = parse({
      AIDLC_BOOTSTRAP_TOKEN: "0123456789abcdef",
      AIDLC_STATE_PASSPHRASE: "open sesame",
    });
    expect(config.adminToken).toBe("0123456789abcdef");
    expect(config.statePassphrase).toBe("open sesame");
    await expect(stat(join(folder, "admin-token"))).rejects.toThrow("ENOENT");
  });
});
