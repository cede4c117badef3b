import { existsSync, readFileSync } from "node:fs";
import { join, posix } from "node:path";

export interface Instruction {
  readonly name: string;
  readonly words: readonly string[];
  readonly text: string;
}

export interface Stage {
  readonly image: string;
  readonly name: string | undefined;
  readonly instructions: readonly Instruction[];
}

export interface Copy {
  /** The stage or image copied from; undefined means the build context, here the repository. */
  readonly from: string | undefined;
  readonly sources: readonly string[];
  readonly destination: string;
}

/** The stages of a Dockerfile, in the shell form and JSON form that ours uses (no here-documents). */
export function parseDockerfile(text: string): Stage[] {
  const lines = text
    .split("\n")
    .filter((line) => !line.trimStart().startsWith("#"))
    .join("\n")
    .replace(/\\\n\s*/g, "")
    .split("\n")
    .filter((line) => line.trim() !== "");
  const stages: { image: string; name: string | undefined; instructions: Instruction[] }[] = [];
  for (const line of lines) {
    const [, name = "", rest = ""] = line.match(/^(\w+)\s+(.*)$/) ?? [];
    const words = rest.split(/\s+/);
    if (name === "FROM") {
      stages.push({
        image: words[0] ?? "",
        name: words[1] === "AS" ? words[2] : undefined,
        instructions: [],
      });
      continue;
    }
    const stage = stages.at(-1);
    if (stage === undefined) throw new Error(`"${line}" stands before the first FROM`);
    stage.instructions.push({ name, words, text: rest });
  }
  return stages;
}

export function copiesOf(stage: Stage): Copy[] {
  return stage.instructions
    .filter(({ name }) => name === "COPY")
    .map(({ words }) => {
      const from = words.find((word) => word.startsWith("--from="))?.slice("--from=".length);
      const paths = words.filter((word) => !word.startsWith("--"));
      return { from, sources: paths.slice(0, -1), destination: paths.at(-1) ?? "" };
    });
}

/** The last value of an instruction in a stage, which is the one that counts. */
export function lastOf(stage: Stage, name: string): string | undefined {
  return stage.instructions.findLast((instruction) => instruction.name === name)?.text;
}

/** The health check's command, which is in the JSON form. */
export function healthCheckOf(stage: Stage): string[] {
  const [, command = "[]"] = lastOf(stage, "HEALTHCHECK")?.match(/CMD (\[.*\])$/) ?? [];
  return JSON.parse(command);
}

/**
 * Whether .dockerignore keeps a path of the repository out of the build: the last pattern that matches the path or a folder
 * above it decides (https://docs.docker.com/build/concepts/context/#dockerignore-files).
 */
export function isIgnored(ignoreText: string, path: string): boolean {
  const patterns = ignoreText.split("\n").filter((line) => line.trim() !== "" && !line.startsWith("#"));
  const selfAndFolders = path.split("/").map((_, index, parts) => parts.slice(0, index + 1).join("/"));
  let ignored = false;
  for (const pattern of patterns) {
    const negated = pattern.startsWith("!");
    const glob = posix.normalize(negated ? pattern.slice(1) : pattern).replace(/\/$/, "");
    if (selfAndFolders.some((part) => matcher(glob).test(part))) ignored = !negated;
  }
  return ignored;
}

/** Node's own `matchesGlob` lets `*` pass over names that begin with a dot; Docker doesn't. */
function matcher(glob: string): RegExp {
  const source = glob
    .replace(/[.+^${}()|[\]\\]/g, "\\$&")
    .replace(/\*\*\/?|\*|\?/g, (wildcard) =>
      wildcard === "?" ? "[^/]" : wildcard === "*" ? "[^/]*" : wildcard === "**" ? ".*" : "(.*/)?",
    );
  return new RegExp(`^${source}$`);
}

/** What a stage copies from the repository, path by path. */
export function repositoryFiles(stage: Stage): string[] {
  return copiesOf(stage)
    .filter(({ from }) => from === undefined)
    .flatMap(({ sources }) => sources.map((source) => posix.normalize(source)));
}

export function readDockerfile(root: string): { stages: Stage[]; ignoreText: string } {
  const ignorePath = join(root, ".dockerignore");
  return {
    stages: parseDockerfile(readFileSync(join(root, "Dockerfile"), "utf8")),
    ignoreText: existsSync(ignorePath) ? readFileSync(ignorePath, "utf8") : "",
  };
}
