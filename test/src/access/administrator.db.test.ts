import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pino from "pino";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { insertAdministratorKey, provideAdministrator } from "../../../src/access/administrator.ts";
import { openIdentities } from "../../../src/access/identities.ts";
import { newKey } from "../../../src/access/key-format.ts";
import { AuditTrail } from "../../../src/audit/trail.ts";
import { createTestDatabase, type TestDatabase } from "../../support/database.ts";

let database: TestDatabase;
let dataDir: string;
const audit = new AuditTrail("a passphrase of the tests");

beforeEach(async () => {
  database = await createTestDatabase();
  dataDir = await mkdtemp(join(tmpdir(), "aidlc-administrator-"));
});

afterEach(async () => {
  vi.restoreAllMocks();
  await rm(dataDir, { recursive: true, force: true });
  await database.drop();
});

const file = () => join(dataDir, "admin-token");
const draft = () => `${file()}.new`;
const storedKey = async () => (await readFile(file(), "utf8")).trim();

interface Start {
  readonly bootstrapToken?: string;
  readonly folder?: string;
  readonly log?: (line: string) => void;
}

/** What a start of the service does about its administrator. */
const start = ({ bootstrapToken, folder = dataDir, log = () => {} }: Start = {}) =>
  provideAdministrator({
    pool: database.pool,
    audit,
    dataDir: folder,
    bootstrapToken,
    issuer: undefined,
    log: pino({ level: "info" }, { write: log }),
  });

async function opens(token: string): Promise<boolean> {
  const identities = openIdentities({
    pool: database.pool,
    oidc: undefined,
    bootstrapToken: undefined,
    internalToken: "internal",
    log: pino({ level: "silent" }),
  });
  return identities.authenticate(token, "/v1/teams").then(
    ({ platform }) => platform.has("admin"),
    () => false,
  );
}

async function countKeys(): Promise<number> {
  return (await database.pool.query<{ count: number }>("select count(*) from api_keys")).rows[0]?.count ?? 0;
}

describe("the first start", () => {
  it("writes an administrator's key for its owner alone to read", async () => {
    await start();
    expect(await opens(await storedKey())).toBe(true);
    expect((await stat(file())).mode & 0o777).toBe(0o600);
    expect(await readdir(dataDir)).toEqual(["admin-token"]);
  });

  it("tells the audit trail and the log, but neither of them the key", async () => {
    const lines: string[] = [];
    await start({ log: (line) => lines.push(line) });
    const { rows } = await database.pool.query("select action, subject, after from audit_entries");
    expect(rows).toMatchObject([{ action: "key.create", subject: "service", after: { roles: ["admin"] } }]);
    expect(lines.join("")).toContain(file());
    expect(JSON.stringify([rows, lines])).not.toContain((await storedKey()).slice(19));
  });

  it("with a bootstrap token writes nothing: that is to be exchanged", async () => {
    await start({ bootstrapToken: "a-bootstrap-token" });
    expect(await readdir(dataDir)).toEqual([]);
    expect(await countKeys()).toBe(0);
  });

  it("of two nodes on one database makes one key", async () => {
    const other = join(dataDir, "other");
    await mkdir(other);
    await Promise.all([start(), start({ folder: other })]);
    expect(await countKeys()).toBe(1);
    const files = [...(await readdir(dataDir)), ...(await readdir(other))].filter((name) =>
      name.startsWith("admin"),
    );
    expect(files).toEqual(["admin-token"]);
  });
});

describe("a later start", () => {
  it("leaves the key as it is", async () => {
    await start();
    const key = await storedKey();
    await start();
    expect(await storedKey()).toBe(key);
    expect(await countKeys()).toBe(1);
  });

  it("makes no other when the file was put away", async () => {
    await start();
    await rm(file());
    await start();
    expect(await readdir(dataDir)).toEqual([]);
    expect(await countKeys()).toBe(1);
  });

  it("makes another when the file was emptied: so says an operator that the key is lost", async () => {
    await start();
    const lost = await storedKey();
    await writeFile(file(), "");
    await start();
    const key = await storedKey();
    expect(key).not.toBe(lost);
    expect(await opens(key)).toBe(true);
    expect((await stat(file())).mode & 0o777).toBe(0o600);
    // It may be in somebody's hands still: whoever has the new one can see and revoke it.
    expect(await opens(lost)).toBe(true);
  });

  it("makes another when no administrator is left", async () => {
    await start();
    const old = await storedKey();
    await database.pool.query("update api_keys set expires_at = now()");
    await start();
    expect(await opens(old)).toBe(false);
    expect(await opens(await storedKey())).toBe(true);
  });

  it("with a bootstrap token makes none, and says so when no administrator is left", async () => {
    await start();
    await writeFile(file(), "");
    await database.pool.query("update api_keys set expires_at = now()");
    const lines: string[] = [];
    await start({ bootstrapToken: "a-bootstrap-token", log: (line) => lines.push(line) });
    expect(await countKeys()).toBe(1);
    expect(lines.join("")).toContain("no administrator is left");
  });

  it("makes none on a node that joins a database with an administrator", async () => {
    await insertAdministratorKey(database.pool, newKey(), { name: "ops", createdBy: "bootstrap" });
    const { rows } = await database.pool.query("select id from api_keys");
    await database.pool.query("insert into bootstrap (exchanged_by, key_id) values ('bootstrap', $1)", [
      rows[0].id,
    ]);
    await start();
    expect(await readdir(dataDir)).toEqual([]);
    expect(await countKeys()).toBe(1);
  });
});

describe("a crash", () => {
  it("before the key was stored costs nothing: the next start makes another", async () => {
    vi.spyOn(audit, "change").mockRejectedValueOnce(new Error("killed"));
    await expect(start()).rejects.toThrow("killed");
    expect(await countKeys()).toBe(0);
    expect(await readdir(dataDir)).toEqual(["admin-token.new"]);
    await start();
    expect(await opens(await storedKey())).toBe(true);
    expect(await countKeys()).toBe(1);
    expect(await readdir(dataDir)).toEqual(["admin-token"]);
  });

  it("after the key was stored, before its file had its name, loses no key", async () => {
    await start();
    const key = await storedKey();
    await writeFile(draft(), `${key}\n`, { mode: 0o600 });
    await rm(file());
    await start();
    expect(await storedKey()).toBe(key);
    expect(await countKeys()).toBe(1);
    expect(await readdir(dataDir)).toEqual(["admin-token"]);
  });

  it("that leaves half a draft leaves nothing that opens", async () => {
    await start();
    const key = await storedKey();
    await writeFile(draft(), key.slice(0, 30));
    await start();
    expect(await storedKey()).toBe(key);
    expect(await readdir(dataDir)).toEqual(["admin-token"]);
  });
});

it("a key that somebody puts into the file opens nothing: the database doesn't know it", async () => {
  await writeFile(file(), `${newKey().text}\n`);
  const foreign = await storedKey();
  await start();
  expect(await opens(foreign)).toBe(false);
  expect(await opens(await storedKey())).toBe(true);
});
