import { spawn } from "node:child_process";
import { once } from "node:events";
import { expect, it } from "vitest";
import { listProcesses, treeOf } from "../../../scripts/service/process-list.ts";

it("the tree of a process has everything below it and nothing else", () => {
  const process = (pid: number, parent: number) => ({ pid, parent, text: "" });
  const processes = [process(1, 0), process(9, 5), process(5, 3), process(3, 1), process(4, 1)];
  expect(treeOf(3, processes).map(({ pid }) => pid)).toEqual([3, 5, 9]);
});

it("a process is listed while it lives, with its parent and its command line", async () => {
  const child = spawn(process.execPath, ["--eval", "setInterval(() => {}, 1000) // marked-by-the-test"]);
  await once(child, "spawn");
  const find = async () => (await listProcesses()).find(({ pid }) => pid === child.pid);
  await expect
    .poll(find)
    .toMatchObject({ parent: process.pid, text: expect.stringContaining("marked-by-the-test") });
  child.kill("SIGKILL");
  await once(child, "exit");
  expect(await find()).toBeUndefined();
});
