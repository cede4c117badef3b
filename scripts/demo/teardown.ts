import type { Phase } from "../../src/engine/phase.ts";
import type { Remains } from "../service/service-process.ts";
import { type PhaseCounts, shortType } from "./phase-progress.ts";
import { seconds } from "./printer.ts";
import { inventory, type SandboxResource } from "./sandbox-inventory.ts";
import { pipelinePath, play, type Stage, team, teamPath } from "./stage.ts";

// With `data=delete` the program is applied once more before the teardown; those updates are no progress of it.
const deletes = (action: string) => action.startsWith("delete");

export async function tearDown(stage: Stage, account: string, foundation: PhaseCounts): Promise<void> {
  const { client, printer, summary } = stage;
  const status = await client.get<{ phases: { phase: Phase; resources: number }[] }>(
    `${pipelinePath}/status`,
  );
  const planned = new Map(status.phases.map(({ phase, resources }) => [phase, resources]));
  const { ms } = await play(stage, "DELETE", `${pipelinePath}?data=delete&confirm=${team}/penguins`, {
    planned,
    counts: deletes,
  });
  summary.destroyMs = Math.round(ms);
  printer.done(
    `the pipeline is gone in ${seconds(ms)}: GET answers ${await expectMissing(stage, pipelinePath)}`,
  );
  const removed = await play(stage, "DELETE", `${teamPath}/accounts/${account}?data=delete`, {
    planned: foundation,
    counts: deletes,
  });
  printer.done(`the account's foundation is gone in ${seconds(removed.ms)}`);
  await client.send("DELETE", teamPath);
  printer.done(`the team is gone: GET answers ${await expectMissing(stage, teamPath)}`);
}

/** AWS's own roles serve all regions of an account: no foundation takes them away. */
const staysByDesign = ({ type }: SandboxResource) => type === "aws:iam/serviceLinkedRole:ServiceLinkedRole";

/** What is left in the sandbox, without what AWS itself only deletes after a waiting period, and AWS's own roles. */
export async function proveEmpty(stage: Stage): Promise<number> {
  const { printer } = stage;
  const resources = await inventory(stage);
  const left = resources.filter(
    (resource) => resource.deletionDueAt === undefined && !staysByDesign(resource),
  );
  for (const { type, awsId } of left)
    printer.line(printer.style("red", `✗ left over: ${shortType(type)} ${awsId}`));
  if (left.length === 0) printer.done("the inventory of the sandbox is empty");
  const waiting = resources.filter(({ deletionDueAt }) => deletionDueAt !== undefined);
  const kinds = Map.groupBy(
    waiting,
    ({ type, deletionDueAt }) =>
      `${shortType(type)}, which AWS deletes only on ${deletionDueAt?.slice(0, 10)}`,
  );
  for (const [kind, ones] of kinds) {
    printer.line(printer.style("dim", `  except ${ones.length} × ${kind}`));
  }
  for (const { type, awsId } of resources.filter(staysByDesign)) {
    printer.line(
      printer.style("dim", `  except 1 × ${shortType(type)}, AWS's own for all regions: ${awsId}`),
    );
  }
  return left.length;
}

/** How many processes and folders outlived the service. */
export function countRemains({ printer }: Stage, { processes, folderExists }: Remains): number {
  for (const { pid, text } of processes) {
    printer.line(
      printer.style("red", `✗ left over: process ${pid} ${text.split("\0").slice(0, 3).join(" ")}`),
    );
  }
  if (folderExists) printer.line(printer.style("red", "✗ left over: the data folder"));
  const count = processes.length + (folderExists ? 1 : 0);
  if (count === 0) printer.done("the service has ended: no process and no folder is left");
  return count;
}

async function expectMissing({ client }: Stage, path: string): Promise<number> {
  const status = await client.statusOf(path);
  if (status !== 404)
    throw new Error(`GET ${path} was answered with ${status} and not with 404 after its deletion`);
  return status;
}
