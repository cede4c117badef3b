import { createHash } from "node:crypto";
import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { GRACE_MS, validateInChild } from "../../../handlers/dataset/validate-in-child.ts";
import { crashingParquet, DELTA_COLUMNS, deltaParquet } from "../support/delta-parquet.ts";
import { fileValidation, rulesOf } from "../support/validated-files.ts";

const now = new Date("2026-02-01T00:00:00Z");
const { folder, validate } = fileValidation(now);
const rules = rulesOf("parquet", DELTA_COLUMNS);
const PROGRAM = join(import.meta.dirname, "../../../handlers/validate/child.ts");

function inChild(content: Uint8Array, { program = PROGRAM, limitMs = 600_000 } = {}) {
  const path = join(folder, "data.parquet");
  writeFileSync(path, content);
  const workFolder = join(folder, "work");
  return validateInChild(program, { path, rules, workFolder, now, limitMs }, { env: {} });
}

it("a child comes to the verdict and the profile that validation comes to", async () => {
  const validation = await inChild(deltaParquet());
  expect(validation).toEqual(await validate(deltaParquet(), rules));
  expect(validation.verdict).toMatchObject({ outcome: "accepted", rows: 8 });
  expect(readdirSync(join(folder, "work"))).toEqual([]);
});

it("a file that its reader dies of is quarantined with its checksum, and leaves nothing", async () => {
  const content = crashingParquet();
  const { verdict, profile } = await inChild(content);
  expect(verdict).toEqual({
    version: 1,
    outcome: "quarantined",
    severity: "critical",
    format: "parquet",
    bytes: content.length,
    sha256: createHash("sha256").update(content).digest("hex"),
    schemaDigest: expect.stringMatching(/^[0-9a-f]{64}$/),
    rows: 0,
    nullFraction: 0,
    duplicateRows: 0,
    reasons: [
      {
        check: "structure",
        code: "unreadable",
        severity: "critical",
        message: "The file can't be decoded: it is damaged, or not what its format allows",
      },
    ],
    checkedAt: now.toISOString(),
  });
  expect(profile).toBeUndefined();
  expect(readdirSync(join(folder, "work"))).toEqual([]);
});

it("a file whose reader does not notice that its time is up is quarantined for that", async () => {
  const program = join(folder, "hangs.mjs");
  writeFileSync(program, "setInterval(() => {}, 1000);");
  const { verdict } = await inChild(deltaParquet(), { program, limitMs: 100 - GRACE_MS });
  expect(verdict).toMatchObject({
    outcome: "quarantined",
    reasons: [{ check: "size", code: "not_in_time" }],
  });
});

it("a child that is killed, or can't start, says nothing of the file", async () => {
  const killed = join(folder, "killed.mjs");
  writeFileSync(killed, 'process.kill(process.pid, "SIGKILL");');
  await expect(inChild(deltaParquet(), { program: killed })).rejects.toThrow(/SIGKILL/);
  await expect(inChild(deltaParquet(), { program: join(folder, "none.mjs") })).rejects.toThrow(/none\.mjs/);
  expect(readdirSync(join(folder, "work"))).toEqual([]);
});
