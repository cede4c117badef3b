import { readdirSync, readFileSync } from "node:fs";
import { parse } from "yaml";
import { type PipelineSpec, parseSpec, specProblems } from "../../programs/spec.ts";

const folder = new URL("../../examples/", import.meta.url);

export interface Example {
  /** File name without its ending; serves as the pipeline's name as well. */
  readonly name: string;
  /** The file as it is, to be sent to the service. */
  readonly text: string;
  readonly spec: PipelineSpec;
}

/** Every spec in `examples/`. Throws for one that breaks a rule. */
export function exampleSpecs(): readonly Example[] {
  const files = readdirSync(folder).filter((file) => file.endsWith(".yaml"));
  return files.toSorted().map((file) => {
    const text = readFileSync(new URL(file, folder), "utf8");
    const spec = parseSpec(parse(text));
    const problems = specProblems(spec);
    if (problems.length > 0) throw new Error(`examples/${file}: ${JSON.stringify(problems)}`);
    return { name: file.slice(0, -".yaml".length), text, spec };
  });
}
