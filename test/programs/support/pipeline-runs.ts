import { pipelineProgram } from "../../../programs/pipeline.ts";
import type { Statement } from "../../../programs/policy-document.ts";
import { anInput, aSpec, PRODUCTION_FOUNDATION } from "./inputs.ts";
import { asList, policyDocuments } from "./policy-documents.ts";
import { type Run, runProgram } from "./run-program.ts";

export type Change = NonNullable<Parameters<typeof aSpec>[0]>;

const runs = new Map<string, Promise<Run>>();

/** A run takes most of a second, and nobody changes what it registered: each pipeline runs once a file. */
function once(key: string, run: () => Promise<Run>): Promise<Run> {
  const found = runs.get(key) ?? run();
  runs.set(key, found);
  return found;
}

/** What a pipeline of the profile `learning` registers. */
export const learningRun = (change: Change = {}): Promise<Run> =>
  once(JSON.stringify(["learning", change]), () =>
    runProgram(pipelineProgram(anInput({ spec: aSpec(change) }))),
  );

/** What a pipeline of the profile `production` registers, with a replica region. */
export const productionRun = (change: Change = {}): Promise<Run> =>
  once(JSON.stringify(["production", change]), () =>
    runProgram(
      pipelineProgram(
        anInput({
          spec: aSpec({ profile: "production", dataset: { replicaRegion: "eu-central-1" }, ...change }),
          foundation: PRODUCTION_FOUNDATION,
        }),
      ),
    ),
  );

/** Statements of a role's own policy. */
export const grantsOf = (run: Run, role: string): readonly Statement[] =>
  policyDocuments(run).find(({ resource: { name } }) => name === `${role}-role-policy`)?.statements ?? [];

export const grantOf = (run: Run, role: string, sid: string): Statement | undefined =>
  grantsOf(run, role).find(({ Sid }) => Sid === sid);

export const actionsOf = (run: Run, role: string): readonly string[] =>
  grantsOf(run, role).flatMap(({ Action }) => asList(Action));
