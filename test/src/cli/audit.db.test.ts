import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Api, adminToken, startApi } from "../api.ts";

const entry = fileURLToPath(new URL("../../../src/cli/main.ts", import.meta.url));

let api: Api;
let url: string;
let folder: string;

beforeAll(async () => {
  api = await startApi();
  url = await api.app.listen({ host: "127.0.0.1", port: 0 });
  folder = await mkdtemp(join(tmpdir(), "aidlc-cli-test-"));
  await api.send("POST", "/v1/teams", { body: { name: "fraud" } });
  await api.send("POST", "/v1/teams", { body: { name: "churn" } });
});

afterAll(async () => {
  await api.close();
  await rm(folder, { recursive: true });
});

async function aidlc(args: readonly string[], environment: Readonly<Record<string, string>> = {}) {
  const child = spawn(process.execPath, [entry, ...args], {
    cwd: folder,
    env: { AIDLC_URL: url, AIDLC_TOKEN: adminToken, ...environment },
  });
  const output = { out: "", err: "" };
  child.stdout.on("data", (chunk: Buffer) => {
    output.out += chunk.toString();
  });
  child.stderr.on("data", (chunk: Buffer) => {
    output.err += chunk.toString();
  });
  const [code] = await once(child, "close");
  return { code, ...output };
}

async function headOfTrail(): Promise<string> {
  const { out } = await aidlc(["audit", "verify", "--json"]);
  const { head } = JSON.parse(out);
  return `${head.sequence}:${head.hash}`;
}

describe("aidlc audit verify", () => {
  it("ends with 0 for a whole trail and tells its head", async () => {
    const head = await headOfTrail();
    const { code, out } = await aidlc(["audit", "verify", "--head", head]);
    expect(out).toContain(`The audit trail is whole: ${head.split(":")[0]} entries, head ${head}\n`);
    expect(code).toBe(0);
  });

  it("ends with 1 for a trail that has less than was noted, and tells where", async () => {
    const [sequence, hash] = (await headOfTrail()).split(":");
    const noted = `${Number(sequence) + 2}:${hash}`;
    const { code, out } = await aidlc(["audit", "verify", "--head", noted]);
    expect(out).toContain(`The audit trail is BROKEN at entry ${Number(sequence) + 1}: it is missing`);
    expect(code).toBe(1);
    const json = await aidlc(["audit", "verify", "--head", noted, "--json"]);
    expect(JSON.parse(json.out)).toMatchObject({ ok: false, broken: { sequence: Number(sequence) + 1 } });
    expect(json.code).toBe(1);
  });

  it("takes the token from a file, by default the administrator's in the data folder", async () => {
    await writeFile(join(folder, "admin-token"), `${adminToken}\n`);
    for (const environment of [{ AIDLC_TOKEN_FILE: join(folder, "admin-token") }, { AIDLC_DATA_DIR: folder }])
      expect((await aidlc(["audit", "verify"], { AIDLC_TOKEN: "", ...environment })).code).toBe(0);
  });
});

describe("aidlc audit export", () => {
  const lines = (out: string) =>
    out
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));

  it("writes every entry as a line, the oldest first", async () => {
    const { code, out } = await aidlc(["audit", "export"]);
    expect(code).toBe(0);
    const entries = lines(out);
    expect(entries.map(({ sequence }) => sequence)).toEqual(entries.map((_, index) => index + 1));
    expect(entries[0]).toMatchObject({ action: "team.create", hash: expect.any(String) });
  });

  it("writes those of one team", async () => {
    const { out } = await aidlc(["audit", "export", "--team", "churn"]);
    expect(lines(out).map(({ team }) => team)).toEqual(["churn"]);
  });
});

describe("aidlc ends with 2 and says why", () => {
  it.each([
    ["for no command", [], {}, "Nothing to do"],
    ["for an unknown command", ["audit", "burn"], {}, 'no command "audit burn"'],
    ["for an unknown option", ["audit", "verify", "--fast"], {}, "--fast"],
    ["for a head that is none", ["audit", "verify", "--head", "7"], {}, "SEQUENCE:HASH"],
    ["for a team where the chain is meant", ["audit", "verify", "--team", "x"], {}, "--team"],
    ["for an address that is none", ["audit", "verify"], { AIDLC_URL: "localhost" }, "AIDLC_URL"],
    ["without a service", ["audit", "verify"], { AIDLC_URL: "http://127.0.0.1:1" }, "can't be reached"],
    ["without a token", ["audit", "verify"], { AIDLC_TOKEN: "" }, "AIDLC_TOKEN_FILE"],
    ["with a token that is not valid", ["audit", "export"], { AIDLC_TOKEN: "wrong" }, "401"],
  ] as const)("%s", async (_, args, environment, message) => {
    await rm(join(folder, ".aidlc"), { recursive: true, force: true });
    const { code, err, out } = await aidlc(args, environment);
    expect({ code, err, out }).toMatchObject({ code: 2, err: expect.stringContaining(message), out: "" });
    expect(err).not.toMatch(/\n\s+at /);
  });
});
