import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, expect, it, vi } from "vitest";
import { askChild, ChildCrashed, ChildTooSlow } from "../../../handlers/runtime/child-process.ts";

const folder = mkdtempSync(join(tmpdir(), "children-"));
afterAll(() => rmSync(folder, { recursive: true }));

const MODULE = pathToFileURL(join(import.meta.dirname, "../../../handlers/runtime/child-process.ts")).href;
const ASKS_LONG = { env: {}, folder, limitMs: 600_000 };
let programs = 0;

/** A program whose work this is, with the request as `request`. */
function programOf(work: string): string {
  const path = join(folder, `program-${programs++}.mjs`);
  writeFileSync(
    path,
    `import { answerParent } from "${MODULE}";\nanswerParent(async (request) => { ${work} });\n`,
  );
  return path;
}

const HANGS = "await new Promise((resolve) => setTimeout(resolve, 600_000));";

it("a child answers with what it was asked, as it is", async () => {
  const request = { at: new Date(0), found: new Set(["a"]), counts: new Map([["b", 2n]]) };
  expect(await askChild(programOf("return { request };"), request, ASKS_LONG)).toEqual({ request });
});

it("a child has no more of the environment than the way to libraries", async () => {
  const env = { NODE_PATH: "/opt/nodejs", AWS_SECRET_ACCESS_KEY: "secret", AWS_REGION: "eu-west-1" };
  expect(await askChild(programOf("return { ...process.env };"), {}, { ...ASKS_LONG, env })).toEqual({
    NODE_PATH: "/opt/nodejs",
    HOME: folder,
    TMPDIR: folder,
    NODE_CHANNEL_FD: undefined,
    NODE_CHANNEL_SERIALIZATION_MODE: undefined,
  });
});

it.each(["SIGSEGV", "SIGABRT", "SIGBUS", "SIGILL", "SIGFPE", "SIGTRAP"])(
  "a child that ends with %s crashed",
  async (signal) => {
    const asked = askChild(programOf(`process.kill(process.pid, "${signal}"); ${HANGS}`), {}, ASKS_LONG);
    await expect(asked).rejects.toThrow(ChildCrashed);
  },
);

it.each([
  ["is killed, for want of memory", `process.kill(process.pid, "SIGKILL"); ${HANGS}`, /ended with SIGKILL/],
  ["ends without an answer", "process.exit(3);", /ended with 3/],
  ["fails", 'throw new TypeError("the disk is full");', /the disk is full/],
])("a child that %s can be asked again", async (_, work, message) => {
  const error: unknown = await askChild(programOf(work), {}, ASKS_LONG).catch((thrown: unknown) => thrown);
  expect(error).not.toBeInstanceOf(ChildCrashed);
  expect(error).toMatchObject({ message: expect.stringMatching(message) });
});

it("a program that is not there is an error", async () => {
  await expect(askChild(join(folder, "none.mjs"), {}, ASKS_LONG)).rejects.toThrow(/none\.mjs ended with 1/);
});

it("a child that takes too long is killed, and so is one whose answer nobody wants any more", async () => {
  const program = programOf(HANGS);
  await expect(askChild(program, {}, { ...ASKS_LONG, limitMs: 50 })).rejects.toThrow(ChildTooSlow);
  const controller = new AbortController();
  const asked = askChild(program, {}, { ...ASKS_LONG, signal: controller.signal });
  controller.abort(new Error("shutting down"));
  await expect(asked).rejects.toThrow("shutting down");
});

it("a child dies with its parent", async () => {
  const pidFile = join(folder, "pid");
  const program = programOf(
    `(await import("node:fs")).writeFileSync("${pidFile}", String(process.pid)); ${HANGS}`,
  );
  const parent = join(folder, "parent.mjs");
  writeFileSync(
    parent,
    `import { askChild } from "${MODULE}";\nawait askChild("${program}", {}, { env: {}, folder: "${folder}", limitMs: 600_000 });\n`,
  );
  const running = spawn(process.execPath, [parent]);
  await vi.waitFor(
    () => expect(existsSync(pidFile) && readFileSync(pidFile, "utf8")).toMatch(/^\d+$/),
    20_000,
  );
  const pid = Number(readFileSync(pidFile, "utf8"));
  expect(isAlive(pid)).toBe(true);
  running.kill("SIGKILL");
  await vi.waitFor(() => expect(isAlive(pid)).toBe(false), 20_000);
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    // Dead, and not collected by whatever took it over.
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
}
