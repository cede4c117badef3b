import { parse } from "yaml";

const phases = new Set(["install", "pre_build", "build", "post_build"]);
const sections = new Set([
  "version",
  "run-as",
  "env",
  "proxy",
  "batch",
  "phases",
  "reports",
  "artifacts",
  "cache",
]);

/** What CodeBuild says against a build specification given as text; a path to a file in the source passes. */
export function buildSpecProblem(text: string | undefined): string | undefined {
  if (text === undefined || !text.includes("\n")) return undefined;
  let spec: unknown;
  try {
    spec = parse(text);
  } catch (error) {
    return error instanceof Error ? (error.message.split("\n")[0] ?? "no YAML") : "no YAML";
  }
  if (typeof spec !== "object" || spec === null) return "the specification must be a map";
  const stray = Object.keys(spec).find((section) => !sections.has(section));
  if (stray !== undefined) return `unknown section "${stray}"`;
  const { version, phases: steps = {} } = spec as { version?: unknown; phases?: unknown };
  if (!["0.1", "0.2"].includes(String(version))) return `version must be 0.2, not ${String(version)}`;
  if (typeof steps !== "object" || steps === null) return "phases must be a map";
  for (const [phase, step] of Object.entries(steps)) {
    if (!phases.has(phase)) return `unknown phase "${phase}": use ${[...phases].join(", ")}`;
    const commands: unknown = (step as { commands?: unknown } | null)?.commands;
    if (
      commands !== undefined &&
      (!Array.isArray(commands) || commands.some((one) => typeof one !== "string"))
    )
      return `the commands of ${phase} must be texts: quote those that hold a colon`;
  }
  return undefined;
}
