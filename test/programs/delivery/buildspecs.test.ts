import { execFileSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import {
  type Buildspec,
  buildspecText,
  imageBuildspec,
  scanBuildspec,
  testBuildspec,
} from "../../../programs/delivery/buildspecs.ts";

const REPORTS = "arn:aws:codebuild:eu-west-1:111122223333:report-group/tests";

const ALL: readonly (readonly [string, Buildspec])[] = [
  ["scan", scanBuildspec()],
  ["test", testBuildspec(REPORTS)],
  ["image", imageBuildspec(["training", "inference"])],
];

const commandsOf = ({ phases }: Buildspec) => Object.values(phases).flatMap(({ commands }) => commands);

describe.each(ALL)("the %s build", (_name, spec) => {
  it("is YAML that says what was meant", () => {
    expect(parse(buildspecText(spec))).toEqual(JSON.parse(JSON.stringify(spec)));
  });

  it("has commands that the shell can read", () => {
    for (const command of commandsOf(spec)) {
      expect(() => execFileSync("bash", ["-n"], { input: command, stdio: "pipe" })).not.toThrow();
    }
  });

  it("stops at the first failure inside each script", () => {
    for (const command of commandsOf(spec).filter((each) => each.includes("\n"))) {
      expect(command.split("\n").slice(0, 2)).toEqual(["(", "  set -euo pipefail"]);
    }
  });

  it("installs nothing but pinned tools", () => {
    const installs = commandsOf(spec).filter((command) => command.startsWith("python -m pip install"));
    for (const install of installs) {
      for (const tool of install.split(" ").slice(5)) expect(tool).toMatch(/^[a-z-]+==\d+\.\d+\.\d+$/);
    }
  });
});

/** Runs a command of a build with stand-ins for the tools it calls. */
function run(command: string, tools: Readonly<Record<string, string>>): number {
  const standIns = Object.entries(tools).map(([name, body]) => `${name}() { ${body}; }`);
  try {
    execFileSync("bash", ["-c", [...standIns, command].join("\n")], {
      stdio: "pipe",
      env: {
        PATH: "/usr/bin:/bin",
        REGISTRY: "registry.test",
        REPOSITORIES: "aidlc/fraud/churn",
        IMAGE_TAG: "source-1",
      },
    });
    return 0;
  } catch (error) {
    return (error as { status: number }).status;
  }
}

describe("the gate of an image", () => {
  const gate = imageBuildspec(["training"]).phases.post_build?.commands.at(-1) ?? "";
  const scan = (status: string, counts: object) => ({
    aws: `case "$*" in *imageScanStatus*) echo ${status};; *) echo '${JSON.stringify(counts)}';; esac`,
    sleep: ":",
  });

  it("opens for an image without critical or high findings", () => {
    expect(run(gate, { ...scan("COMPLETE", { LOW: 3 }), jq: ":" })).toBe(0);
  });

  it("accepts that enhanced scanning never completes", () => {
    expect(run(gate, { ...scan("ACTIVE", {}), jq: ":" })).toBe(0);
  });

  it("stays shut when the findings are refused", () => {
    expect(run(gate, { ...scan("COMPLETE", { HIGH: 1 }), jq: "return 1" })).toBe(1);
  });

  it.each(["FAILED", "UNSUPPORTED_IMAGE"])("stays shut for a scan that ends as %s", (status) => {
    expect(run(gate, scan(status, {}))).toBe(1);
  });

  it("stays shut for a scan that never ends", () => {
    expect(run(gate, scan("IN_PROGRESS", {}))).toBe(1);
  });
});

describe("an image", () => {
  const [build = ""] = imageBuildspec(["training"]).phases.build.commands;

  it("is not built again under a tag that exists", () => {
    expect(run(build, { aws: ":", docker: "exit 7" })).toBe(0);
  });

  it("is built and pushed under a new tag", () => {
    expect(run(build, { aws: "return 254", docker: ":" })).toBe(0);
    expect(run(build, { aws: "return 254", docker: "return 7" })).toBe(7);
  });
});

describe("tests of a source bundle", () => {
  it("are required", () => {
    const [command = ""] = testBuildspec(REPORTS).phases.build.commands;
    expect(run(command, { test: "return 1", python: ":" })).toBe(1);
    expect(run(command, { test: "return 0", python: ":" })).toBe(0);
  });

  it("are reported", () => {
    expect(Object.keys(testBuildspec(REPORTS).reports ?? {})).toEqual([REPORTS]);
  });
});
