import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { removeHalfWritten } from "../../../src/recovery/half-written.ts";

const project = "aidlc-pipeline";
let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "aidlc half-written-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function write(...path: string[]): Promise<void> {
  const file = join(folder, ".pulumi", ...path);
  await mkdir(join(file, ".."), { recursive: true });
  await writeFile(file, "{");
}

it("the drafts of a stack's state and of its history are removed, and nothing else", async () => {
  await write("stacks", project, "red.flock-1.json");
  await write("stacks", project, "red.flock-1.json.18eac2c57480d890.tmp");
  await write("stacks", project, "red.flock-1.json.bak.18eac2c57480d890.tmp");
  await write("stacks", project, "red.flock-10.json.18eac2c57480d890.tmp");
  await write("history", project, "red.flock-1", "1.history.json");
  await write("history", project, "red.flock-1", "2.history.json.18eac2c57480d890.tmp");

  const url = `file://${folder.replaceAll(" ", "%20")}?metadata=skip`;
  await removeHalfWritten(url, { project, name: "red.flock-1" });

  const left = await readdir(join(folder, ".pulumi"), { recursive: true, withFileTypes: true });
  expect(
    left
      .filter((entry) => entry.isFile())
      .map(({ name }) => name)
      .toSorted(),
  ).toEqual(["1.history.json", "red.flock-1.json", "red.flock-10.json.18eac2c57480d890.tmp"]);
});

it("a stack that left nothing, and a backend without files, need nothing", async () => {
  await removeHalfWritten(`file://${folder}`, { project, name: "red.flock-1" });
  await removeHalfWritten("s3://states", { project, name: "red.flock-1" });
});
