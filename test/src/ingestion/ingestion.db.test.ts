import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { Readable } from "node:stream";
import { pino } from "pino";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { serviceContext } from "../../../src/audit/trail.ts";
import { Ingestor } from "../../../src/ingestion/ingestor.ts";
import { validateApart } from "../../../src/ingestion/validator.ts";
import { getPipeline } from "../../../src/pipelines/store.ts";
import { type Document, uniqueName, validSpec } from "../../support/builders.ts";
import { type Api, startApi } from "../api.ts";

const dataset = {
  format: "csv",
  schema: [
    { name: "age", type: "integer", min: 0, max: 150 },
    { name: "label", type: "string", enum: ["yes", "no"] },
  ],
};
const good = `age,label\n${Array.from({ length: 40 }, (_, age) => `${age + 20},${age % 2 ? "yes" : "no"}`).join("\n")}\n`;
const bad = good.replace("21,yes", "210,perhaps");
const spec = () =>
  validSpec((changed) => {
    changed.dataset = dataset;
  });
const csv = { "content-type": "text/csv" };

let api: Api;
let dataDir: string;
let ingestor: Ingestor;
let team: string;
let pipeline: string;
let url: string;
let folder: string;
/** Stands in for the process that validates, where a test says so. */
let validate: typeof validateApart;

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), "ingestion-"));
  api = await startApi({
    ingestor: (surroundings) => {
      ingestor = new Ingestor({ ...surroundings, dataDir, validate: (...args) => validate(...args) });
      return ingestor;
    },
  });
  team = await api.teamWithAccount();
});

afterAll(async () => {
  await ingestor.close();
  await api.close();
  await rm(dataDir, { recursive: true, force: true });
});

beforeEach(async () => {
  validate = validateApart;
  pipeline = uniqueName("churn");
  url = `/v1/teams/${team}/pipelines/${pipeline}`;
  folder = join(dataDir, "buckets", team, pipeline);
  await api.send("PUT", url, { body: spec() });
  await applied();
});

// What a test leaves would be taken up by the next one's sweeps.
afterEach(async () => {
  await ingestor.settled();
  await rm(folder, { recursive: true, force: true });
});

/** As a node that is started again. */
const restarted = (log = pino({ level: "silent" })) =>
  new Ingestor({ pool: api.database.pool, audit: api.audit, dataDir, log, validate });

/** As a successful update leaves it. */
async function applied(): Promise<void> {
  await api.database.pool.query(
    "update pipelines set applied_revision = desired_revision where team = $1 and name = $2",
    [team, pipeline],
  );
}

const give = (body: string, name = "people.csv", headers: Record<string, string> = csv) =>
  api.send("POST", `${url}/data?name=${name}`, { headers, body });

async function verdicts(): Promise<Document[]> {
  await ingestor.settled();
  return (await api.send("GET", `${url}/data`)).body.items;
}

const filesIn = async (bucket: string) =>
  (await readdir(join(folder, bucket)).catch(() => [])).filter((name) => !name.startsWith("."));

describe("a file that a request brings", () => {
  it("is accepted, byte by byte, and shows in the status", async () => {
    const answer = await give(good);
    expect(answer).toMatchObject({
      status: 202,
      body: { name: "people.csv", state: "received", bytes: good.length },
    });
    expect(await verdicts()).toMatchObject([
      { id: answer.body.id, state: "accepted", rows: 40, severity: "none", reasons: [] },
    ]);
    expect(await filesIn("validated")).toEqual([`${answer.body.id}-people.csv`]);
    expect(await readFile(join(folder, "validated", `${answer.body.id}-people.csv`), "utf8")).toBe(good);
    expect(await readdir(join(folder, "raw", ".taken"))).toEqual([]);
    const counts = await api.database.pool.query(
      "select state, count(*)::int from ingestions group by state",
    );
    expect(counts.rows).toContainEqual({ state: "accepted", count: 1 });
  });

  it("is quarantined with its verdict beside it", async () => {
    const { id } = (await give(bad)).body;
    const [verdict] = await verdicts();
    expect(verdict).toMatchObject({ state: "quarantined", severity: "critical" });
    expect(verdict?.reasons.map(({ check }: Document) => check).sort()).toEqual(["enum", "range"]);
    expect((await filesIn("quarantine")).sort()).toEqual([
      `${id}-people.csv`,
      `${id}-people.csv.verdict.json`,
    ]);
    expect(await filesIn("validated")).toEqual([]);
  });

  it("is measured against the files that were accepted before", async () => {
    await give(good);
    await give(good.replace(/^\d+/gm, (age) => String(Number(age) + 60)));
    expect(await verdicts()).toMatchObject([
      { state: "accepted", severity: "warning", driftScore: expect.any(Number) },
      {},
    ]);
    const { rows } = await api.database.pool.query(
      "select b.version, b.profile->'rows' as rows from ingestion_baselines b join pipelines p on p.id = b.pipeline_id where p.name = $1",
      [pipeline],
    );
    expect(rows).toEqual([{ version: 2, rows: 80 }]);
  });

  it("may be larger than any other body", async () => {
    const large = `age,label\n${"20,no\n".repeat(500_000)}`;
    expect(await give(large)).toMatchObject({ status: 202, body: { bytes: large.length } });
    expect(await verdicts()).toMatchObject([{ state: "quarantined", rows: 500_000 }]);
  });

  it("is refused in another format than the spec's", async () => {
    const answer = await give("{}", "x", { "content-type": "application/jsonl" });
    expect(answer).toMatchObject({
      status: 415,
      body: { code: "unsupported_media_type", detail: /text\/csv/ },
    });
  });

  it("is refused as anything but data, and told what data is", async () => {
    const answer = await give("a=b", "x", { "content-type": "application/x-www-form-urlencoded" });
    expect(answer).toMatchObject({ status: 415, body: { detail: expect.stringContaining("text/csv") } });
  });

  it("is refused before it comes when it is announced as too large", async () => {
    const headers = { ...csv, "content-length": String(3 * 1024 ** 3) };
    expect(await give("age,label\n", "x.csv", headers)).toMatchObject({
      status: 413,
      body: { code: "payload_too_large", detail: expect.stringContaining("raw folder") },
    });
  });

  it("is told the record that ended its reading", async () => {
    await give("age,label\n20,yes\n21\n");
    expect(await verdicts()).toMatchObject([{ reasons: [{ code: "field_count", record: 2 }] }]);
  });

  it("is refused while the pipeline is being destroyed", async () => {
    const { id } = (await api.send("DELETE", url)).body;
    expect(await give(good)).toMatchObject({ status: 409, body: { code: "stack_busy", operation: id } });
  });

  it("leaves nothing when its caller breaks off", async () => {
    const given = await getPipeline(api.database.pool, team, pipeline);
    let reads = 0;
    const body = new Readable({
      read() {
        if (reads++ === 0) this.push("age,label\n");
        else this.destroy(Object.assign(new Error("aborted"), { code: "ECONNRESET" }));
      },
    });
    const received = ingestor.receive(given, "people.csv", body, serviceContext("test"));
    await expect(received).rejects.toMatchObject({ code: "invalid_request", httpStatus: 400 });
    expect(await readdir(join(folder, "raw", ".taken"))).toEqual([]);
  });

  it("leaves nothing when the service was killed before its end", async () => {
    await give(good);
    await ingestor.settled();
    await writeFile(join(folder, "raw", ".taken", ".1f0c.part"), good.slice(0, 100));
    await restarted().sweep();
    expect(await readdir(join(folder, "raw", ".taken"))).toEqual([]);
  });

  describe("while the database dies", () => {
    const dying = (moment: "before" | "after") => {
      const pool = Object.create(api.database.pool);
      // The connection ends with the commit: before it was carried out, or before its answer.
      pool.connect = async () => {
        const client = await api.database.pool.connect();
        return {
          query: async (text: string, values?: unknown[]) => {
            if (text !== "commit") return client.query(text, values);
            await client.query(moment === "before" ? "rollback" : "commit");
            throw new Error("Connection terminated unexpectedly");
          },
          release: () => client.release(),
        };
      };
      const log = pino({ level: "silent" });
      return new Ingestor({ pool, audit: api.audit, dataDir, log, validate });
    };
    const received = async (by: Ingestor) =>
      by.receive(
        await getPipeline(api.database.pool, team, pipeline),
        "people.csv",
        Readable.from([Buffer.from(good)]),
        serviceContext("test"),
      );
    const swept = async () => {
      const next = restarted();
      await next.sweep();
      await next.settled();
    };

    it("is never taken when it could not be recorded: whoever gives it once more gives it once", async () => {
      await expect(received(dying("before"))).rejects.toThrow(/terminated/);
      await swept();
      expect(await verdicts()).toEqual([]);
      await received(ingestor);
      expect(await verdicts()).toMatchObject([{ state: "accepted" }]);
      expect(await readdir(join(folder, "raw", ".taken"))).toEqual([]);
    });

    it("has its verdict when it was recorded, though its caller heard nothing of it", async () => {
      await expect(received(dying("after"))).rejects.toThrow(/terminated/);
      expect(await verdicts()).toMatchObject([{ state: "received" }]);
      await swept();
      expect(await verdicts()).toMatchObject([{ name: "people.csv", state: "accepted" }]);
      expect(await readdir(join(folder, "raw", ".taken"))).toEqual([]);
    });
  });

  it("is refused while the pipeline has no bucket", async () => {
    await api.database.pool.query("update pipelines set applied_revision = null where name = $1", [pipeline]);
    expect(await give(good)).toMatchObject({ status: 409, body: { code: "pipeline_conflict" } });
  });

  it("is in the audit trail by its name and size", async () => {
    const { id } = (await give(good)).body;
    await verdicts();
    const { rows } = await api.database.pool.query(
      "select after from audit_entries where action = 'data.receive' and target like $1",
      [`%/${pipeline}/data`],
    );
    expect(rows).toEqual([{ after: { id, name: "people.csv", bytes: good.length } }]);
  });
});

describe("a file that is dropped into the raw folder", () => {
  it("is taken once it grows no more", async () => {
    await mkdir(join(folder, "raw"), { recursive: true });
    const path = join(folder, "raw", "dropped.csv");
    await writeFile(path, good.slice(0, 100));
    await ingestor.sweep();
    await writeFile(path, good);
    await ingestor.sweep();
    expect(await verdicts()).toEqual([]);
    await ingestor.sweep();
    expect(await verdicts()).toMatchObject([{ name: "dropped.csv", state: "accepted" }]);
    expect(await filesIn("raw")).toEqual([]);
  });

  it("is left alone, and the log says so once, when it is no plain file with a plain name", async () => {
    const raw = join(folder, "raw");
    const names = ["-dash.csv", "link.csv", `${"ü".repeat(110)}.csv`];
    await mkdir(raw, { recursive: true });
    await writeFile(join(raw, "-dash.csv"), good);
    await writeFile(join(raw, `${"ü".repeat(110)}.csv`), good);
    await symlink("/etc/hostname", join(raw, "link.csv"));
    const lines: Document[] = [];
    const told = restarted(pino({ level: "warn" }, { write: (line) => lines.push(JSON.parse(line)) }));
    for (let sweep = 0; sweep < 3; sweep++) await told.sweep();
    expect(lines.map(({ path }) => basename(String(path))).sort()).toEqual(names);
    expect((await filesIn("raw")).sort()).toEqual(names);
    expect(await verdicts()).toEqual([]);
  });

  it("keeps no other pipeline's file waiting when it can't be moved", async () => {
    const before = join(dataDir, "buckets", team, "a-first");
    await api.send("PUT", `/v1/teams/${team}/pipelines/a-first`, { body: spec() });
    await api.database.pool.query("update pipelines set applied_revision = 1 where name = 'a-first'");
    await mkdir(join(before, "raw"), { recursive: true });
    await writeFile(join(before, "raw", ".taken"), "no folder");
    await writeFile(join(before, "raw", "stuck.csv"), good);
    await mkdir(join(folder, "raw"), { recursive: true });
    await writeFile(join(folder, "raw", "dropped.csv"), good);
    await ingestor.sweep();
    await ingestor.sweep();
    expect(await verdicts()).toMatchObject([{ name: "dropped.csv", state: "accepted" }]);
    await rm(before, { recursive: true });
  });
});

describe("the folders of a pipeline", () => {
  const bucket = `insert into resources (stack_id, urn, position, type, name, dependencies, inputs, outputs)
    select stack_id, 'urn:raw', 0, 'aws:s3/bucket:Bucket', 'raw', '{}', '{}', '{}' from pipelines
    where team = $1 and name = $2`;

  it("stay as long as its stack has a bucket, and then go with it", async () => {
    await give(good);
    await ingestor.settled();
    const { pool } = api.database;
    await restarted().sweep();
    expect(await filesIn("validated")).toHaveLength(1);
    await pool.query(bucket, [team, pipeline]);
    await pool.query("update pipelines set deleted_at = now() where team = $1 and name = $2", [
      team,
      pipeline,
    ]);
    await restarted().sweep();
    expect(await filesIn("validated")).toHaveLength(1);
    await pool.query("delete from resources where urn = 'urn:raw'");
    await restarted().sweep();
    expect(await readdir(join(dataDir, "buckets", team))).not.toContain(pipeline);
  });
});

describe("a validation that fails", () => {
  it("leaves the file where it is, is tried again by the next sweep, and gives up after three times", async () => {
    let tries = 0;
    validate = async () => {
      tries += 1;
      throw new Error("the process was killed");
    };
    await give(good);
    for (let sweep = 0; sweep < 4; sweep++) {
      await ingestor.settled();
      await ingestor.sweep();
    }
    expect(await verdicts()).toMatchObject([
      { state: "failed", failure: expect.stringMatching(/three times/) },
    ]);
    expect(tries).toBe(3);
    expect(await readdir(join(folder, "raw", ".taken"))).toHaveLength(1);
  });

  it("keeps the file when its copy is not what was validated", async () => {
    validate = async (...args) => {
      const { verdict } = await validateApart(...args);
      return { verdict: { ...verdict, sha256: "0".repeat(64) } };
    };
    const { id } = (await give(good)).body;
    await ingestor.settled();
    expect(await readdir(join(folder, "raw", ".taken"))).toEqual([`${id}-people.csv`]);
    expect(await filesIn("validated")).toEqual([]);
  });

  it("is made up for after a restart", async () => {
    validate = async () => {
      throw new Error("the service ends");
    };
    const { id } = (await give(good)).body;
    await ingestor.settled();
    validate = validateApart;
    await ingestor.sweep();
    expect(await verdicts()).toMatchObject([{ id, state: "accepted" }]);
  });
});

describe("the list of files", () => {
  it("comes in pages, newest first", async () => {
    for (const name of ["a.csv", "b.csv", "c.csv"]) await give(good, name);
    await ingestor.settled();
    const first = (await api.send("GET", `${url}/data?limit=2`)).body;
    const second = (await api.send("GET", `${url}/data?limit=2&cursor=${first.nextCursor}`)).body;
    expect([...first.items, ...second.items].map(({ name }: Document) => name)).toEqual([
      "c.csv",
      "b.csv",
      "a.csv",
    ]);
    expect(second.nextCursor).toBeUndefined();
  });
});

describe("a service that provisions AWS", () => {
  it("refuses files and says where they go", async () => {
    const aws = await startApi();
    try {
      const other = await aws.teamWithAccount();
      await aws.send("PUT", `/v1/teams/${other}/pipelines/churn`, { body: spec() });
      const answer = await aws.send("POST", `/v1/teams/${other}/pipelines/churn/data`, {
        headers: csv,
        body: good,
      });
      expect(answer).toMatchObject({ status: 409, body: { code: "sandbox_only" } });
    } finally {
      await aws.close();
    }
  });
});
