import type { Static } from "typebox";
import type { StatusView } from "../../src/pipelines/schema.ts";
import { json } from "../service/client.ts";
import { countByPhase, type PhaseCounts } from "./phase-progress.ts";
import { counted, seconds } from "./printer.ts";
import { look, pipelinePath, play, type Stage, team, teamPath } from "./stage.ts";

// What a team needs first: where data goes in, what trains on it, where models and news of them appear.
const shownOutputs = [
  "buckets.raw.name",
  "buckets.validated.name",
  "training.pipelineName",
  "training.modelPackageGroupName",
  "repositories.training.url",
  "roles.training",
  "keys.data.alias",
  "topics.critical",
  "dashboard.url",
];

const aws = { accountId: "123456789012", region: "eu-central-1" };

/** Returns what the foundation has in each phase. */
export async function registerAccount(stage: Stage, account: string): Promise<PhaseCounts> {
  const { client, printer, summary } = stage;
  await client.send("POST", "/v1/teams", json({ name: team, displayName: "Research" }));
  const path = `${teamPath}/accounts/${account}`;
  const { counts, ms } = await play(stage, "PUT", path, { body: json(aws) });
  const foundation = await client.get<{ resources: number }>(`${path}/foundation`);
  summary.foundationResources = foundation.resources;
  printer.done(
    `foundation of account ${aws.accountId} in ${aws.region}: ${counted(foundation.resources, "resource")} in ${seconds(ms)}`,
  );
  return counts;
}

export async function provision(stage: Stage, yaml: string): Promise<void> {
  const { printer, summary } = stage;
  const body = { type: "application/yaml", content: yaml } as const;
  const preview = await look(stage, `${pipelinePath}/previews`, body);
  const plan = preview.operation.result?.steps ?? [];
  printer.done(
    `the preview plans ${counted(plan.length, "resource")}, and nothing has happened yet (${seconds(preview.ms)})`,
  );
  const { ms } = await play(stage, "PUT", pipelinePath, { body, planned: countByPhase(plan) });
  summary.provisionMs = Math.round(ms);
  summary.resources = await countResources(stage);
  printer.done(
    `the pipeline has ${counted(summary.resources, "AWS resource")}, provisioned in ${seconds(ms)}`,
  );
}

export async function showOutputs({ client, printer }: Stage): Promise<void> {
  const { outputs } = await client.get<{ outputs: Record<string, unknown> }>(`${pipelinePath}/outputs`);
  const all = new Map(flatOutputs(outputs));
  const rows = shownOutputs.flatMap((name) => {
    const value = all.get(name);
    return value === undefined ? [] : [[name, value]];
  });
  printer.line(printer.style("bold", "Outputs"));
  printer.table(rows.map(([name = "", value = ""]) => [printer.style("cyan", name), value]));
  printer.line(printer.style("dim", `and ${all.size - rows.length} more: GET ${pipelinePath}/outputs`));
}

export async function showStatus({ client, printer }: Stage): Promise<void> {
  const status = await client.get<Static<typeof StatusView>>(`${pipelinePath}/status`);
  printer.line();
  printer.line(printer.style("bold", "Status"));
  printer.table([
    ["state", printer.style("green", status.state)],
    ["revision", `${status.appliedRevision ?? "none"} applied, ${status.desiredRevision} desired`],
    ...status.phases.map(({ phase, state, resources }) => [
      phase,
      `${printer.style(state === "ready" ? "green" : "yellow", state)}, ${counted(resources, "resource")}`,
    ]),
    ["SageMaker", sageMakerLine(status)],
  ]);
}

export async function countResources({ client }: Stage): Promise<number> {
  const resources = await client.all<{ type: string }>(`${pipelinePath}/resources`);
  return resources.filter(({ type }) => type.startsWith("aws:")).length;
}

function sageMakerLine({ sageMaker }: Static<typeof StatusView>): string {
  const { pipeline, executions, modelPackages, unavailable } = sageMaker;
  if (!pipeline) return unavailable ?? "no answer";
  return `${pipeline.status}, ${counted(executions.length, "execution")}, ${counted(modelPackages.length, "model package")} (${pipeline.name})`;
}

/** Outputs with one name per line: `buckets.raw`. Lists stay whole. */
function flatOutputs(outputs: Readonly<Record<string, unknown>>, prefix = ""): [string, string][] {
  return Object.entries(outputs).flatMap(([name, value]): [string, string][] => {
    if (typeof value === "object" && value !== null && !Array.isArray(value)) {
      return flatOutputs(value as Record<string, unknown>, `${prefix}${name}.`);
    }
    return [[prefix + name, typeof value === "string" ? value : JSON.stringify(value)]];
  });
}
