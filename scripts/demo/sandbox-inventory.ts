import { pipelinePath, type Stage } from "./stage.ts";

/** A resource as the sandbox shows it. */
export interface SandboxResource {
  readonly id: string;
  readonly type: string;
  readonly awsId: string;
  /** Set for what AWS only deletes after a waiting period, such as keys. */
  readonly deletionDueAt?: string;
}

/** The sandbox's own record of the pipeline's resource of this type and name. */
export async function findInSandbox({ client }: Stage, type: string, name: string): Promise<SandboxResource> {
  const query = `?type=${encodeURIComponent(type)}`;
  const resources = await client.all<{ name: string; id?: string }>(`${pipelinePath}/resources${query}`);
  const owned = resources.find((resource) => resource.name === name);
  const known = await client.all<SandboxResource>(`/sandbox/v1/resources${query}`);
  const found = known.find(({ awsId }) => awsId === owned?.id);
  if (!found) throw new Error(`The sandbox has no ${type} "${name}" of the pipeline`);
  return found;
}

export function inventory({ client }: Stage): Promise<SandboxResource[]> {
  return client.all("/sandbox/v1/resources?includeScheduled=true");
}
