import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import {
  copiesOf,
  healthCheckOf,
  isIgnored,
  lastOf,
  parseDockerfile,
  readDockerfile,
  repositoryFiles,
  type Stage,
} from "./dockerfile.ts";

const root = join(import.meta.dirname, "../..");
const { stages, ignoreText } = readDockerfile(root);
const final = stages.at(-1) as Stage;
const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));

function environmentOf(stage: Stage): Record<string, string> {
  const words = stage.instructions.filter(({ name }) => name === "ENV").flatMap(({ words }) => words);
  return Object.fromEntries(words.map((word) => word.split("=", 2)));
}

describe("the image", () => {
  it("is built on images pinned by tag, with the Node that development uses", () => {
    for (const { image } of stages) expect(image).toMatch(`node:${manifest.devDependencies.node}-`);
  });

  it("copies only what the repository has and .dockerignore lets in", () => {
    const sources = stages.flatMap(repositoryFiles);
    expect(sources).toContain("src");
    for (const source of sources) {
      expect(existsSync(join(root, source)), `${source} exists`).toBe(true);
      expect(isIgnored(ignoreText, source), `${source} is ignored`).toBe(false);
    }
  });

  it.each([".aidlc/admin-token", ".git/config", "node_modules/fastify/package.json", ".env", "test/scripts"])(
    "is built without %s",
    (path) => {
      expect(isIgnored(ignoreText, path)).toBe(true);
    },
  );

  it("copies from stages that come earlier", () => {
    stages.forEach((stage, index) => {
      const earlier = stages.slice(0, index).map(({ name }) => name);
      for (const { from } of copiesOf(stage)) if (from !== undefined) expect(earlier).toContain(from);
    });
  });

  it("holds production dependencies only", () => {
    const installsOf = ({ instructions }: Stage) =>
      instructions.map(({ text }) => text).filter((text) => /^npm (ci|i|install)\b/.test(text));
    const takenFrom = copiesOf(final).filter(({ from }) => from !== undefined);
    for (const { from, sources } of takenFrom) {
      const stage = stages.find(({ name }) => name === from) as Stage;
      // What bundles the handlers has the tools for it, and only its bundles are taken.
      if (from === "handlers") expect(sources).toEqual(["/app/build"]);
      else expect(installsOf(stage)).toEqual(["npm ci --omit=dev"]);
    }
    expect(installsOf(final)).toEqual([]);
    expect(takenFrom.map(({ from }) => from)).toContain("handlers");
  });

  it("runs as a user that is not root, named by number", () => {
    expect(lastOf(final, "USER")).toMatch(/^[1-9]\d*:[1-9]\d*$/);
  });

  it("starts what npm start starts, without a shell or npm between it and SIGTERM", () => {
    const command = JSON.parse(lastOf(final, "CMD") ?? "");
    expect(manifest.scripts.start).toBe(`node scripts/setup.mjs ${command.join(" ")}`);
    expect(lastOf(final, "ENTRYPOINT")).toBeUndefined();
    expect(lastOf(final, "STOPSIGNAL")).toBe("SIGTERM");
    expect(command[0]).toBe("node");
    expect(existsSync(join(root, command[1]))).toBe(true);
  });

  it("writes only to its volume, which belongs to its user", () => {
    const folder = environmentOf(final).AIDLC_DATA_DIR;
    expect(lastOf(final, "VOLUME")).toBe(folder);
    expect(lastOf(final, "RUN")).toBe(`install -d -o node -g node -m 0700 ${folder}`);
  });

  it("is checked on the port that it listens on, by a script that Node can parse", () => {
    const environment = environmentOf(final);
    expect(environment.AIDLC_HOST).toBe("0.0.0.0");
    expect(lastOf(final, "EXPOSE")).toBe(environment.AIDLC_PORT);
    const [program, flag, script = ""] = healthCheckOf(final);
    expect([program, flag]).toEqual(["node", "-e"]);
    expect(() => new Function(script)).not.toThrow();
    expect(script).toContain("AIDLC_PORT");
    expect(script).toContain("/healthz");
  });
});

describe("the image of the jobs that validate", () => {
  const stage = stages.find(({ name }) => name === "validation-job") as Stage;

  it("is none that the service's image is built with", () => {
    expect(copiesOf(final).map(({ from }) => from)).not.toContain("validation-job");
  });

  it("has the functions' DuckDB, where a bundle that leaves it out finds it, and no program of its own", () => {
    expect(repositoryFiles(stage).every((path) => path.startsWith("handlers/duckdb-layer/"))).toBe(true);
    expect(environmentOf(stage).NODE_PATH).toBe(`${lastOf(stage, "WORKDIR")}/node_modules`);
    expect(lastOf(stage, "ENTRYPOINT")).toBeUndefined();
  });
});

describe("the reading of Dockerfiles", () => {
  it("joins continued lines and tells stages, sources and destinations apart", () => {
    const [stage] = parseDockerfile("# one\nFROM a:1 AS base\nCOPY --from=x --chown=1:1 \\\n  a b ./\n") as [
      Stage,
    ];
    expect(stage).toMatchObject({ image: "a:1", name: "base" });
    expect(copiesOf(stage)).toEqual([{ from: "x", sources: ["a", "b"], destination: "./" }]);
  });

  it("lets the last matching line of .dockerignore decide", () => {
    expect(isIgnored("*\n!src", "src/main.ts")).toBe(false);
    expect(isIgnored("*\n!src\nsrc/private", "src/private/key")).toBe(true);
    expect(isIgnored("!src\n*", "src/main.ts")).toBe(true);
    expect(isIgnored("**/*.log", "src/deep/debug.log")).toBe(true);
    expect(isIgnored("**/*.log", "debug.log")).toBe(true);
  });
});
