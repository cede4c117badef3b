import { fork } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { confinedTo } from "../../../src/engine/confinement.ts";
import { RunnerProcess } from "../../../src/engine/runner-process.ts";

let dataDir: string;
let own: string;

beforeEach(async () => {
  dataDir = await realpath(await mkdtemp(join(tmpdir(), "aidlc-confinement-")));
  own = join(dataDir, "work", "run-of-research");
  await mkdir(join(dataDir, "work", "run-of-fraud"), { recursive: true });
  await mkdir(join(dataDir, "state"));
  await mkdir(own);
  await writeFile(join(dataDir, "state-passphrase"), "the master passphrase");
  await writeFile(join(dataDir, "state", "fraud.churn.json"), "{}");
  await writeFile(join(dataDir, "work", "run-of-fraud", "aws-config"), "");
});
afterEach(() => rm(dataDir, { recursive: true, force: true }));

/** What becomes of `expression` in a process that is confined as a runner is. */
async function attempt(expression: string): Promise<string> {
  const script = join(own, "attempt.mjs");
  await writeFile(
    script,
    `import fs from "node:fs";
     try { ${expression}; process.send("done"); } catch (error) { process.send(error.code); }`,
  );
  const child = fork(script, {
    cwd: own,
    execArgv: confinedTo([own]),
    stdio: ["ignore", "ignore", "ignore", "ipc"],
  });
  const [answer] = await once(child, "message");
  await once(child, "exit");
  return answer as string;
}

const inData = (path: string) => JSON.stringify(join(dataDir, path));

describe("what runs inside a runner", () => {
  it("reads and writes its own folder", async () => {
    expect(await attempt(`fs.writeFileSync(${inData("work/run-of-research/x")}, "")`)).toBe("done");
    expect(await attempt(`fs.readFileSync(${inData("work/run-of-research/attempt.mjs")})`)).toBe("done");
  });

  it.each(["state-passphrase", "state/fraud.churn.json", "work/run-of-fraud/aws-config"])(
    "can't read %s: neither the service's secrets nor another team's state or files",
    async (path) => {
      expect(await attempt(`fs.readFileSync(${inData(path)})`)).toBe("ERR_ACCESS_DENIED");
    },
  );

  it("can't list or reach the other runs, nor the service's environment", async () => {
    expect(await attempt(`fs.readdirSync(${inData("work")})`)).toBe("ERR_ACCESS_DENIED");
    expect(await attempt(`fs.readFileSync("../run-of-fraud/aws-config")`)).toBe("ERR_ACCESS_DENIED");
    expect(await attempt(`fs.readFileSync("/proc/" + process.ppid + "/environ")`)).toBe("ERR_ACCESS_DENIED");
  });

  it("can't write anywhere else, not even into the code", async () => {
    expect(await attempt(`fs.writeFileSync(${inData("state/x")}, "")`)).toBe("ERR_ACCESS_DENIED");
    const program = JSON.stringify(new URL("../../../programs/pipeline.ts", import.meta.url).pathname);
    expect(await attempt(`fs.closeSync(fs.openSync(${program}, "r+"))`)).toBe("ERR_ACCESS_DENIED");
  });
});

it("a runner's cache of compiled code is there before its fence, which takes in only what is there", async () => {
  const compileCacheFolder = join(dataDir, "compile-cache");
  const runner = new RunnerProcess({
    workFolder: join(dataDir, "work"),
    compileCacheFolder,
    pluginFolder: undefined,
    environment: { PATH: process.env.PATH ?? "" },
  });
  expect(existsSync(compileCacheFolder)).toBe(true);
  await runner.dispose();
});
