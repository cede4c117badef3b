import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { RunOutcome } from "../../../src/engine/protocol.ts";
import { validSpec } from "../../support/builders.ts";
import { type Api, adminToken, startApi } from "../api.ts";
import { DriftRequests, promoted, suspended } from "../drift/drift-requests.ts";

const entry = fileURLToPath(new URL("../../../src/cli/main.ts", import.meta.url));

let api: Api;
let url: string;

beforeAll(async () => {
  api = await startApi();
  url = await api.app.listen({ host: "127.0.0.1", port: 0 });
});
afterAll(() => api.close());

/** Plays the worker until the signal: each drift operation ends as its pipeline's outcome says. */
async function work(
  outcomes: ReadonlyMap<DriftRequests, Partial<RunOutcome>>,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    const queued = await api.database.pool.query<{ id: string; pipeline: string }>(
      "select id, pipeline from operations where state = 'queued' and kind in ('drift', 'reconcile')",
    );
    for (const { id, pipeline } of queued.rows) {
      const found = [...outcomes].find(([requests]) => requests.name === pipeline);
      if (found) await found[0].ended(id, found[1]);
    }
  }
}

/** Runs the command against pipelines of one team that end like this. */
async function aidlc(outcomes: ReadonlyMap<DriftRequests, Partial<RunOutcome>>, ...args: string[]) {
  const done = new AbortController();
  const worker = work(outcomes, done.signal);
  const child = spawn(process.execPath, [entry, "reconcile", ...args], {
    env: { AIDLC_URL: url, AIDLC_TOKEN: adminToken },
  });
  const output = { out: "", err: "" };
  child.stdout.on("data", (chunk: Buffer) => {
    output.out += chunk.toString();
  });
  child.stderr.on("data", (chunk: Buffer) => {
    output.err += chunk.toString();
  });
  const [code] = await once(child, "close");
  done.abort();
  await worker;
  const lines = args.includes("--json")
    ? output.out
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line))
    : [];
  return { code, ...output, lines, summary: lines.at(-1) };
}

const lost: Partial<RunOutcome> = {
  state: "failed",
  error: { code: "access_denied", message: "AWS refused the role", remedy: "Mend it" },
};

describe("aidlc reconcile", () => {
  it("ends with 0 when nothing drifted, and sums up in its last line", async () => {
    const team = await api.teamWithAccount();
    const pipelines = [await DriftRequests.create(api, team), await DriftRequests.create(api, team)];
    const { code, lines, summary } = await aidlc(
      new Map(pipelines.map((each) => [each, {}])),
      "--team",
      team,
      "--json",
    );
    expect(code).toBe(0);
    expect(summary).toEqual({
      summary: true,
      pipelines: 2,
      clean: 2,
      drifted: 0,
      awaitingApproval: 0,
      failed: 0,
      timedOut: 0,
      skipped: 0,
      exitCode: 0,
    });
    expect(lines[0]).toMatchObject({ team, state: "clean", operation: expect.any(String), drifts: {} });
  });

  it("ends with 2 for drift, and tells how much of which class", async () => {
    const team = await api.teamWithAccount();
    const pipeline = await DriftRequests.create(api, team);
    const outcomes = new Map([[pipeline, { steps: [suspended, promoted] }]]);
    const { code, lines } = await aidlc(outcomes, "--pipeline", `${team}/${pipeline.name}`, "--json");
    expect(code).toBe(2);
    expect(lines[0]).toMatchObject({ state: "drifted", drifts: { data: 1, ml_promotion: 1 } });
  });

  it("ends with 3 for a failure, which keeps no other pipeline from being done", async () => {
    const team = await api.teamWithAccount();
    const [bad, good] = [await DriftRequests.create(api, team), await DriftRequests.create(api, team)];
    const outcomes = new Map<DriftRequests, Partial<RunOutcome>>([
      [bad, lost],
      [good, { steps: [suspended] }],
    ]);
    const { code, summary, lines } = await aidlc(outcomes, "--team", team, "--json");
    expect([code, summary.failed, summary.drifted]).toEqual([3, 1, 1]);
    expect(lines.find(({ state }) => state === "failed")).toMatchObject({ reason: "AWS refused the role" });
  });

  it("remediates by reconciliations, and is clean when nothing is left", async () => {
    const team = await api.teamWithAccount();
    const pipeline = await DriftRequests.create(api, team);
    await pipeline.check(suspended);
    const outcomes = new Map([[pipeline, { drift: { steps: [suspended], kept: [], excluded: [] } }]]);
    const { code, lines } = await aidlc(outcomes, "--team", team, "--mode", "remediate", "--json");
    expect([code, lines[0].state]).toEqual([0, "clean"]);
    expect((await api.send("GET", `/v1/operations/${lines[0].operation}`)).body.kind).toBe("reconcile");
  });

  it("ends with 2 where a plan waits for approval, and doesn't wait for that", async () => {
    const team = await api.teamWithAccount();
    const pipeline = await DriftRequests.create(api, team);
    const outcomes = new Map([[pipeline, { state: "awaiting_approval" as const }]]);
    const { code, lines } = await aidlc(outcomes, "--team", team, "--mode", "remediate", "--json");
    expect([code, lines[0].state]).toEqual([2, "awaiting_approval"]);
  });

  it("ends with 3 when the time is up", async () => {
    const team = await api.teamWithAccount();
    await DriftRequests.create(api, team);
    const { code, lines } = await aidlc(new Map(), "--team", team, "--timeout", "1", "--json");
    expect([code, lines[0].state]).toEqual([3, "timed_out"]);
  });

  it("skips what was never applied", async () => {
    const team = await api.teamWithAccount();
    await api.send("PUT", `/v1/teams/${team}/pipelines/never`, { body: validSpec() });
    const { code, lines } = await aidlc(new Map(), "--team", team, "--json");
    expect([code, lines[0].state]).toEqual([0, "skipped"]);
  });

  it("writes a table for people, and takes all teams with --all", async () => {
    const team = await api.teamWithAccount();
    const pipeline = await DriftRequests.create(api, team);
    const everybody = await api.database.pool.query<{ team: string; name: string }>(
      "select team, name from pipelines where applied_revision is not null",
    );
    expect(everybody.rows.length).toBeGreaterThan(3);
    await api.database.pool.query("update pipelines set applied_revision = null where name <> $1", [
      pipeline.name,
    ]);
    const { code, out } = await aidlc(new Map([[pipeline, { steps: [suspended] }]]), "--all");
    expect(code).toBe(2);
    expect(out).toMatch(new RegExp(`^${team}/${pipeline.name} +drifted +data 1$`, "m"));
    expect(out).toMatch(
      / pipelines: 0 clean, 1 drifted, 0 await approval, 0 failed, 0 timed out, \d+ skipped\n$/,
    );
  });

  it("says what is wrong with its arguments, and ends with 3", async () => {
    for (const [args, message] of [
      [[], "exactly one of --all"],
      [["--all", "--team", "fraud"], "exactly one of --all"],
      [["--all", "--mode", "mend"], '--mode "mend"'],
      [["--pipeline", "churn"], "TEAM/PIPELINE"],
      [["--all", "--timeout", "soon"], '--timeout "soon"'],
    ] as const) {
      const { code, err } = await aidlc(new Map(), ...args);
      expect([code, err]).toEqual([3, expect.stringContaining(message)]);
    }
  });
});
