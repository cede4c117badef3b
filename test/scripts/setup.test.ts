import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { hostProblem, installReason, npmPath, wantedInstall } from "../../scripts/setup/dependencies.mjs";
import { isAbandoned, withLock } from "../../scripts/setup/lock.mjs";
import { run } from "../../scripts/setup/processes.mjs";
import {
  cachedCli,
  candidatesOn,
  ensurePulumiCli,
  pinnedVersion,
  reportedVersion,
  unavailableMessage,
} from "../../scripts/setup/pulumi-cli.mjs";

const linux = { platform: "linux", arch: "x64" };

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "aidlc-setup-test-"));
});
afterEach(() => {
  vi.restoreAllMocks();
  rmSync(folder, { recursive: true, force: true });
});

describe("the machine", () => {
  it("is refused with a remedy when its Node is older than 18", () => {
    expect(hostProblem({ nodeVersion: "v16.20.2", platform: "linux" })).toMatch(
      /v16\.20\.2 is too old.*nodejs\.org/s,
    );
  });

  it.each(["v18.0.0", "v20.20.2", "v24.21.0", "v26.1.0"])("is accepted with Node %s", (nodeVersion) => {
    expect(hostProblem({ nodeVersion, platform: "linux" })).toBeUndefined();
    expect(hostProblem({ nodeVersion, platform: "darwin" })).toBeUndefined();
  });

  it("is sent to WSL on Windows", () => {
    expect(hostProblem({ nodeVersion: "v24.21.0", platform: "win32" })).toContain("WSL");
  });
});

describe("dependencies", () => {
  const installed = wantedInstall("lock", linux);

  it("are left alone when the lock file and the platform are those of the last install", () => {
    expect(installReason(installed, wantedInstall("lock", linux), true)).toBeUndefined();
  });

  it("are installed on the first run and after an interrupted one", () => {
    expect(installReason(undefined, installed, false)).toContain("missing or incomplete");
  });

  it("are installed again when one character of the lock file changes", () => {
    expect(installReason(installed, wantedInstall("lock ", linux), true)).toBe(
      "package-lock.json has changed",
    );
  });

  it("are installed again when the folder comes from another platform", () => {
    const wanted = wantedInstall("lock", { platform: "darwin", arch: "arm64" });
    expect(installReason(installed, wanted, true)).toBe("node_modules was made for linux-x64");
  });

  it("are installed again when Node has gone from node_modules", () => {
    expect(installReason(installed, installed, false)).toContain("Node is missing");
  });

  it("are installed by an npm that doesn't run on the Node that it replaces", () => {
    const path = ["/project/node_modules/.bin", "/usr/bin"].join(delimiter);
    expect(npmPath(path, "/project/node_modules/.bin", "/opt/node/bin").split(delimiter)).toEqual([
      "/usr/bin",
      "/opt/node/bin",
    ]);
  });
});

describe("the Pulumi CLI", () => {
  /** A program that answers `pulumi version`. */
  const putCli = (path: string, version: string) => {
    mkdirSync(join(path, ".."), { recursive: true });
    writeFileSync(path, `#!/bin/sh\necho ${version}\n`);
    chmodSync(path, 0o755);
    return path;
  };
  const context = (env: Record<string, string>) => ({
    root: folder,
    cache: join(folder, "cache"),
    version: "3.257.0",
    env,
  });

  it("has the exact version that package.json names for the SDK", () => {
    expect(pinnedVersion({ dependencies: { "@pulumi/pulumi": "3.257.0" } })).toBe("3.257.0");
    expect(() => pinnedVersion({ dependencies: { "@pulumi/pulumi": "^3.257.0" } })).toThrow(
      "one exact version",
    );
    expect(() => pinnedVersion({})).toThrow("one exact version");
  });

  it("is built from a Go module of the same version", () => {
    const read = (path: string) => readFileSync(join(import.meta.dirname, "../..", path), "utf8");
    const version = pinnedVersion(JSON.parse(read("package.json")));
    expect(read("scripts/pulumi-cli/go.mod")).toContain(`github.com/pulumi/pulumi/pkg/v3 v${version} `);
  });

  it.each([
    ["v3.257.0\n", "3.257.0"],
    ["3.257.0", "3.257.0"],
    ["warning: a new version is available\nv3.257.1-alpha.1+g0\n", "3.257.1-alpha.1+g0"],
    ["command not found", undefined],
  ])("is asked for its version: %j means %s", (output, version) => {
    expect(reportedVersion(output)).toBe(version);
  });

  it("is looked for in the absolute folders of PATH, each once", () => {
    const path = ["/a", "relative", "", "/b", "/a"].join(delimiter);
    expect(candidatesOn(path)).toEqual(["/a/pulumi", "/b/pulumi"]);
  });

  it("is taken from PATH when it has the pinned version, behind one that has another", async () => {
    const older = putCli(join(folder, "older/pulumi"), "v3.256.0");
    const right = putCli(join(folder, "right/pulumi"), "v3.257.0");
    const path = [join(older, ".."), join(right, "..")].join(delimiter);
    await expect(ensurePulumiCli(context({ PATH: path }))).resolves.toBe(right);
  });

  it.each(["v3.256.0", "v3.258.0", "v3.257.0-alpha.1"])(
    "is not taken from PATH when it is %s",
    async (version) => {
      const other = putCli(join(folder, "other/pulumi"), version);
      const cached = putCli(cachedCli(join(folder, "cache"), "3.257.0"), "v3.257.0");
      await expect(ensurePulumiCli(context({ PATH: join(other, "..") }))).resolves.toBe(cached);
    },
  );

  it("that can't be had is reported with what was tried, and nothing half-made stays in the cache", async () => {
    vi.spyOn(process.stderr, "write").mockReturnValue(true);
    const other = putCli(join(folder, "other/pulumi"), "v3.1.0");
    const failure = ensurePulumiCli(context({ PATH: join(other, "..") }));
    await expect(failure).rejects.toThrow(`${other} has version 3.1.0`);
    await expect(failure).rejects.toThrow("go was not found");
    for (const part of ["pulumi", "locks"]) expect(readdirSync(join(folder, "cache", part))).toEqual([]);
  });

  it("that can't be had comes with every remedy", () => {
    const message = unavailableMessage(
      "3.257.0",
      [{ source: "download", result: "no route" }],
      "/cache/pulumi",
    );
    expect(message).toContain("download: no route");
    for (const remedy of ["put it on PATH", "get.pulumi.com", "install Go 1.25", "/cache/pulumi"]) {
      expect(message).toContain(remedy);
    }
  });
});

describe("two set-ups at the same time", () => {
  const holder = { pid: 4242, host: "here", id: "1" };
  const here = { host: "here", now: 100_000, isAlive: () => true };

  it("take turns", async () => {
    const path = join(folder, "some.lock");
    const seen: string[] = [];
    let waited = 0;
    const work = (name: string) =>
      withLock(
        path,
        () => {
          waited += 1;
        },
        async () => {
          seen.push(`${name} begins`);
          await new Promise((resolve) => setTimeout(resolve, 50));
          seen.push(`${name} ends`);
        },
      );
    await Promise.all([work("first"), work("second")]);
    expect(seen).toEqual(["first begins", "first ends", "second begins", "second ends"]);
    expect(waited).toBe(1);
  });

  it("go on at once when the one that held the lock was killed", async () => {
    const path = join(folder, "some.lock");
    const child = await run(process.execPath, ["-p", "process.pid + ' ' + require('os').hostname()"], {
      env: {},
    });
    const [pid, host] = child.stdout.trim().split(" ");
    writeFileSync(path, JSON.stringify({ pid: Number(pid), host, id: "of the dead" }));
    await expect(
      withLock(
        path,
        () => {},
        async () => "done",
      ),
    ).resolves.toBe("done");
  });

  it("respect a holder that lives, and one on another machine that still refreshes its lock", () => {
    expect(isAbandoned({ holder, touchedAt: 95_000 }, here)).toBe(false);
    expect(isAbandoned({ holder, touchedAt: 95_000 }, { ...here, host: "there", isAlive: () => false })).toBe(
      false,
    );
  });

  it("wait while npm still runs although the set-up that started it was killed", () => {
    const isAlive = (pid: number) => pid === 4243;
    expect(isAbandoned({ holder, touchedAt: 95_000 }, { ...here, isAlive })).toBe(true);
    expect(
      isAbandoned({ holder: { ...holder, worker: 4243 }, touchedAt: 95_000 }, { ...here, isAlive }),
    ).toBe(false);
  });

  it("take over from a holder that is dead, or has not refreshed its lock for a minute", () => {
    expect(isAbandoned({ holder, touchedAt: 95_000 }, { ...here, isAlive: () => false })).toBe(true);
    expect(isAbandoned({ holder, touchedAt: 39_000 }, { ...here, host: "there" })).toBe(true);
  });
});
