import type pg from "pg";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { type AuditEntry, genesisHash, hashKey, hashOf } from "../../../src/audit/chain.ts";
import { walkEntries } from "../../../src/audit/store.ts";
import {
  type AuditContext,
  type AuditedChange,
  AuditTrail,
  serviceContext,
} from "../../../src/audit/trail.ts";
import { type Head, type Verification, verifyChain } from "../../../src/audit/verify.ts";
import { inTransaction } from "../../../src/postgres/pool.ts";
import { createTestDatabase, type TestDatabase } from "../../support/database.ts";

const trail = new AuditTrail("a passphrase of the tests");
const ada: AuditContext = {
  subject: "user:ada",
  label: "ada@example.com",
  sourceAddress: "192.0.2.7",
  requestId: "r-1",
};
const rename: AuditedChange = {
  action: "team.update",
  team: "ml",
  target: "/teams/ml",
  before: { displayName: "ML" },
  after: { displayName: "Machine learning" },
};

let database: TestDatabase;

beforeAll(async () => {
  database = await createTestDatabase();
});

afterEach(async () => {
  await tampering(database.pool, (client) => client.query("truncate audit_entries"));
});

afterAll(() => database.drop());

const change = (entry: Partial<AuditedChange> = {}, context: AuditContext = ada) =>
  inTransaction(database.pool, (client) => trail.change(client, context, { ...rename, ...entry }));

const verify = (client: pg.PoolClient, noted?: Head) => verifyChain(walkEntries(client), trail.key, noted);
const verified = (noted?: Head) => inTransaction(database.pool, (client) => verify(client, noted));

async function entries(): Promise<AuditEntry[]> {
  return inTransaction(database.pool, async (client) => {
    const all: AuditEntry[] = [];
    for await (const batch of walkEntries(client)) all.push(...batch);
    return all;
  });
}

/** Six entries of every sort, the last of them returned. */
async function sixEntries(): Promise<Head> {
  await change();
  await change({ before: undefined }, serviceContext("r-2"));
  await trail.denial(database.pool, ada, { method: "PUT", path: "/teams/x", team: "x", reason: "forbidden" });
  await change({ team: null, after: undefined });
  await change({ after: { amount: 1.5, note: "größer" } });
  await change();
  return (await verified()).head;
}

/** Does what an owner of the table can do, who disables what stands in the way. */
async function tampering<Result>(
  pool: pg.Pool,
  tamper: (client: pg.PoolClient) => Promise<Result>,
): Promise<Result> {
  return inTransaction(pool, async (client) => {
    await client.query("alter table audit_entries disable trigger all");
    const result = await tamper(client);
    await client.query("alter table audit_entries enable trigger all");
    return result;
  });
}

/** What verification says after `statements`, which are undone. */
async function afterTampering(statements: readonly string[], noted?: Head): Promise<Verification> {
  const client = await database.pool.connect();
  try {
    await client.query("begin");
    await client.query("alter table audit_entries disable trigger all");
    for (const constraint of ["pkey", "at_key", "outcome_check"])
      await client.query(`alter table audit_entries drop constraint audit_entries_${constraint}`);
    for (const statement of statements) await client.query(statement);
    return await verify(client, noted);
  } finally {
    await client.query("rollback");
    client.release();
  }
}

describe("the audit trail", () => {
  it("tells who changed what, from where, in which request", async () => {
    await change();
    expect(await entries()).toEqual([
      {
        sequence: 1,
        at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?Z$/),
        subject: "user:ada",
        label: "ada@example.com",
        team: "ml",
        action: "team.update",
        target: "/teams/ml",
        outcome: "changed",
        sourceAddress: "192.0.2.7",
        requestId: "r-1",
        before: '{"displayName":"ML"}',
        after: '{"displayName":"Machine learning"}',
        previousHash: genesisHash,
        hash: expect.stringMatching(/^[0-9a-f]{64}$/),
      },
    ]);
  });

  it("has nothing of a change that was rolled back", async () => {
    const undone = inTransaction(database.pool, async (client) => {
      await trail.change(client, ada, rename);
      throw new Error("a defect");
    });
    await expect(undone).rejects.toThrow("a defect");
    await change();
    expect((await entries()).map(({ sequence }) => sequence)).toEqual([1]);
    expect(await verified()).toMatchObject({ ok: true, entries: 1 });
  });

  it("is one chain without gaps when 50 change something at once", async () => {
    await Promise.all(
      Array.from({ length: 50 }, (_, number) =>
        number % 5 === 0
          ? trail.denial(database.pool, ada, {
              method: "GET",
              path: "/audit",
              team: null,
              reason: "forbidden",
            })
          : change({ target: `/teams/team-${number}` }),
      ),
    );
    const all = await entries();
    expect(all.map(({ sequence }) => sequence)).toEqual(Array.from({ length: 50 }, (_, index) => index + 1));
    expect(new Set(all.map(({ at }) => at)).size).toBe(50);
    expect(await verified()).toMatchObject({ ok: true, entries: 50 });
  });

  it.each(["update audit_entries set label = 'x'", "delete from audit_entries", "truncate audit_entries"])(
    "refuses: %s",
    async (statement) => {
      await change();
      await expect(database.pool.query(statement)).rejects.toThrow("immutable");
      expect(await entries()).toHaveLength(1);
    },
  );

  it("masks credentials and what the engine marked as secret", async () => {
    const secret = {
      "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270",
      value: "hunter22",
    };
    await change(
      {
        target: "/teams/AKIAIOSFODNN7EXAMPLE",
        before: { url: "postgres://aidlc:correct-horse@db/aidlc" },
        after: { secret, key: "AKIAIOSFODNN7EXAMPLE" },
      },
      { ...ada, label: "AKIAIOSFODNN7EXAMPLE" },
    );
    // A long text is cut off behind what would be half a credential.
    await change({ target: `/${"x".repeat(980)}/AKIAIOSFODNN7EXAMPLE` });
    const written = JSON.stringify(await entries());
    expect(written).not.toMatch(/correct-horse|hunter22|AKIAIOSFODNN7/);
    expect(written).toContain("[secret]");
  });

  it("keeps the short fields of a document that is too long, and digests of the others", async () => {
    await change({ after: { revision: 7, spec: { text: "x".repeat(100_000) } } });
    await change({ after: Object.fromEntries(Array.from({ length: 9_000 }, (_, n) => [`field${n}`, n])) });
    const [one, other] = (await entries()).map(({ after }) => JSON.parse(after ?? ""));
    expect(one).toEqual({
      revision: 7,
      spec: { omittedBytes: 100_011, sha256: expect.stringMatching(/^[0-9a-f]{64}$/) },
    });
    expect(other).toEqual({ omittedBytes: expect.any(Number), sha256: expect.any(String) });
  });

  it("takes texts that the database would refuse", async () => {
    await trail.denial(
      database.pool,
      { ...ada, label: "a\0b\ud800" },
      { method: "GET", path: `/${"x".repeat(5_000)}`, team: "y".repeat(5_000), reason: "unauthenticated" },
    );
    await change({ after: { text: "a\0b\ud800" } });
    expect((await entries())[0]).toMatchObject({ label: "a\ufffdb\ufffd", target: `/${"x".repeat(999)}` });
    expect(await verified()).toMatchObject({ ok: true, entries: 2 });
  });
});

describe("verification", () => {
  it("finds an empty trail whole", async () => {
    expect(await verified()).toEqual({ ok: true, entries: 0, head: { sequence: 0, hash: genesisHash } });
  });

  it("finds an untouched trail whole and gives its head", async () => {
    await sixEntries();
    const last = (await entries()).at(-1);
    expect(await verified()).toEqual({ ok: true, entries: 6, head: { sequence: 6, hash: last?.hash } });
  });

  it("finds any other value in any column of any row", async () => {
    await sixEntries();
    const { rows: columns } = await database.pool.query<{ name: string; type: string }>(
      `select column_name as name, data_type as type from information_schema.columns
       where table_schema = 'public' and table_name = 'audit_entries'`,
    );
    expect(columns.length).toBeGreaterThan(13);
    const others: Readonly<Record<string, (column: string) => readonly string[]>> = {
      bigint: (column) => [`${column} + 100`, `-${column}`],
      "timestamp with time zone": (column) => [
        `${column} + interval '1 microsecond'`,
        `${column} - interval '4050 years'`,
        "'infinity'",
      ],
      text: (column) => [`coalesce(${column}, '') || 'x'`, `coalesce(${column}, '') || ' '`],
      json: (column) => [`'{"forged":true}'`, `(coalesce(${column}::text, '{}') || ' ')::json`],
    };
    for (const { name, type } of columns) {
      for (const value of others[type]?.(name) ?? []) {
        for (let sequence = 1; sequence <= 6; sequence++) {
          const found = await afterTampering([
            `update audit_entries set ${name} = ${value} where sequence = ${sequence}`,
          ]);
          expect(found.ok, `${name} = ${value} of ${sequence}`).toBe(false);
          // A row that takes another's place is found there.
          expect(found.entries).toBeLessThan(sequence);
        }
      }
    }
  });

  it("tells an absent value from an empty one, and columns from each other", async () => {
    await sixEntries();
    for (const statement of [
      "update audit_entries set team = '' where team is null",
      "update audit_entries set after = 'null' where after is null",
      "update audit_entries set subject = label, label = subject where sequence = 5",
      "update audit_entries set before = after, after = before where sequence = 5",
    ])
      expect((await afterTampering([statement])).ok, statement).toBe(false);
  });

  it.each([
    ["at the start", "sequence = 1", 1],
    ["in the middle", "sequence = 3", 3],
    ["several in the middle", "sequence between 3 and 5", 3],
  ])("finds rows that were deleted %s", async (_, which, sequence) => {
    await sixEntries();
    expect(await afterTampering([`delete from audit_entries where ${which}`])).toMatchObject({
      ok: false,
      entries: sequence - 1,
      broken: { sequence, reason: expect.stringContaining("missing") },
    });
  });

  it("finds a deleted row although the rows after it were numbered anew", async () => {
    await sixEntries();
    const found = await afterTampering([
      "delete from audit_entries where sequence = 3",
      "update audit_entries set sequence = sequence - 1 where sequence > 3",
    ]);
    expect(found).toMatchObject({ ok: false, broken: { sequence: 3 } });
  });

  it.each([
    ["the last", 5, 6],
    ["the last three", 3, 4],
    ["all", 0, 1],
  ])("finds by a head that was noted that %s were deleted", async (_, kept, sequence) => {
    const noted = await sixEntries();
    const cut = [`delete from audit_entries where sequence > ${kept}`];
    expect(await afterTampering(cut, noted)).toMatchObject({
      ok: false,
      entries: kept,
      broken: { sequence },
    });
    expect(await afterTampering(cut)).toMatchObject({ ok: true, entries: kept });
  });

  it("does not take a noted head for the trail's beginning that isn't", async () => {
    expect(await verified({ sequence: 0, hash: "0".repeat(63) })).toMatchObject({ ok: false });
    expect(await verified({ sequence: 0, hash: genesisHash })).toMatchObject({ ok: true });
  });

  it("accepts a noted head from which the trail went on", async () => {
    const noted = await sixEntries();
    await change();
    expect(await verified(noted)).toMatchObject({ ok: true, entries: 7 });
  });

  it("finds by a noted head a trail that the service itself wrote anew after a cut", async () => {
    const noted = await sixEntries();
    await tampering(database.pool, (client) => client.query("delete from audit_entries where sequence > 4"));
    await change();
    await change();
    expect(await verified()).toMatchObject({ ok: true, entries: 6 });
    expect(await verified(noted)).toMatchObject({ ok: false, broken: { sequence: 6 } });
  });

  it("finds a row of an earlier, cut off end in the place of the one that was written later", async () => {
    await sixEntries();
    const [, , , , old] = await entries();
    await tampering(database.pool, (client) => client.query("delete from audit_entries where sequence > 4"));
    await change({ target: "/teams/other" });
    await change();
    const columns = `at = '${old?.at}', target = '${old?.target}', hash = '${old?.hash}', after = '${old?.after}'`;
    expect(await afterTampering([`update audit_entries set ${columns} where sequence = 5`])).toMatchObject({
      ok: false,
      broken: { sequence: 6, reason: expect.stringContaining("does not follow") },
    });
  });

  it("finds two rows that changed places", async () => {
    await sixEntries();
    const swap = "update audit_entries set sequence = 7 - sequence where sequence in (3, 4)";
    expect(await afterTampering([swap])).toMatchObject({ ok: false, broken: { sequence: 3 } });
  });

  it.each([
    ["at the start", 1, 0],
    ["in the middle", 3, 2.5],
    ["at the end", 6, 7],
  ])("finds a row that was inserted %s", async (_, copied, place) => {
    await sixEntries();
    const sequence = Math.ceil(place);
    const found = await afterTampering([
      ...(place === 2.5 ? ["update audit_entries set sequence = sequence + 1 where sequence >= 3"] : []),
      `insert into audit_entries select ${sequence}, at + interval '1 hour', subject, label, team, action, target,
         outcome, source_address, request_id, before, after, previous_hash, hash
       from audit_entries where sequence = ${copied}`,
    ]);
    expect(found.ok).toBe(false);
  });

  it("finds a second row with the number of another", async () => {
    await sixEntries();
    for (const sequence of [1, 6]) {
      const found = await afterTampering([
        `insert into audit_entries select * from audit_entries where sequence = ${sequence}`,
      ]);
      expect(found).toMatchObject({ ok: false, broken: { sequence: sequence + 1 } });
    }
  });

  it("finds rows whose hashes were made anew without the key", async () => {
    await sixEntries();
    const all = await entries();
    for (const key of [hashKey("another passphrase"), hashKey(""), Buffer.alloc(32)]) {
      let previousHash = all[2]?.hash ?? "";
      const statements = all.slice(3).map((entry) => {
        const forged = { ...entry, label: "somebody else", previousHash };
        previousHash = hashOf(key, forged);
        return `update audit_entries set label = 'somebody else', previous_hash = '${forged.previousHash}',
          hash = '${previousHash}' where sequence = ${entry.sequence}`;
      });
      expect(await afterTampering(statements)).toMatchObject({ ok: false, broken: { sequence: 4 } });
    }
  });

  it("reads every row of a trail that is longer than a batch", async () => {
    await inTransaction(database.pool, async (client) => {
      for (let count = 0; count < 1_100; count++) await trail.change(client, ada, rename);
    });
    expect(await verified()).toMatchObject({ ok: true, entries: 1_100 });
    const cut = ["update audit_entries set label = 'x' where sequence = 1050"];
    expect(await afterTampering(cut)).toMatchObject({
      ok: false,
      entries: 1_049,
      broken: { sequence: 1_050 },
    });
  });
});
