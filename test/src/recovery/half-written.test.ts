import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { removeHalfWritten } from "../../../src/recovery/half-written.ts";

const stack = { project: "aidlc-pipeline", name: "red.flock" };
let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "aidlc-half-written-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function files(...paths: readonly string[]): Promise<void> {
  for (const path of paths) {
    await mkdir(dirname(join(folder, ".pulumi", path)), { recursive: true });
    await writeFile(join(folder, ".pulumi", path), "");
  }
}

async function left(): Promise<string[]> {
  const entries = await readdir(join(folder, ".pulumi"), { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map(({ name }) => name);
}

describe("what a killed engine had begun to write", () => {
  it("is removed beside the stack's state, its backups, its history and its locks", async () => {
    await files(
      "stacks/aidlc-pipeline/red.flock.json.18eac0ea.tmp",
      "stacks/aidlc-pipeline/red.flock.json.bak.18eac0ea.tmp",
      "backups/aidlc-pipeline/red.flock/red.flock.1.json.18eac0ea.tmp",
      "history/aidlc-pipeline/red.flock/red.flock-1.history.json.18eac0ea.tmp",
      "locks/organization/aidlc-pipeline/red.flock/7.json.18eac0ea.tmp",
    );
    await removeHalfWritten(`file://${folder}?metadata=skip`, stack);
    expect(await left()).toEqual([]);
  });

  it("is all that is removed, and only the stack's own", async () => {
    const kept = [
      "stacks/aidlc-pipeline/red.flock.json",
      "stacks/aidlc-pipeline/red.flock-2.json.18eac0ea.tmp",
      "backups/aidlc-pipeline/red.flock/red.flock.1.json",
    ];
    await files(...kept);
    await removeHalfWritten(`file://${folder}`, stack);
    expect((await left()).length).toBe(kept.length);
  });

  it("is also the lock of a stack that was never made, which nothing else removes", async () => {
    await files(
      "locks/organization/aidlc-pipeline/red.flock/7.json",
      "stacks/aidlc-pipeline/red.flock-2.json",
    );
    await removeHalfWritten(`file://${folder}`, stack);
    expect(await left()).toEqual(["red.flock-2.json"]);
    await files("locks/organization/aidlc-pipeline/red.flock/7.json", "stacks/aidlc-pipeline/red.flock.json");
    await removeHalfWritten(`file://${folder}`, stack);
    expect(await left()).toContain("7.json");
  });

  it("is nothing where there is no folder, or where states are no files", async () => {
    await removeHalfWritten(`file://${folder}/none`, stack);
    await removeHalfWritten("s3://states?region=eu-central-1", stack);
  });
});
