import { readdir, readFile } from "node:fs/promises";
import { join, relative } from "node:path";
import type { StackState, StateResource } from "./facts.ts";

interface Checkpoint {
  readonly checkpoint?: {
    readonly latest?: {
      readonly resources?: readonly {
        readonly urn: string;
        readonly type: string;
        readonly id?: string;
        readonly delete?: boolean;
        /** Deleted already, to be made anew. */
        readonly pendingReplacement?: boolean;
        readonly inputs?: Readonly<Record<string, unknown>>;
      }[];
      readonly pending_operations?: readonly {
        readonly type: string;
        readonly resource: { readonly urn: string };
      }[];
    };
  };
}

/** Every stack that a file:// backend has; the files are those of the CLI's own format. */
export async function readStates(stateFolder: string): Promise<StackState[]> {
  const folder = join(stateFolder, ".pulumi", "stacks");
  const files = (await filesBelow(folder)).filter((file) => file.endsWith(".json"));
  return Promise.all(
    files.map(async (file) => stateOf(relative(folder, file), await readFile(file, "utf8"))),
  );
}

function stateOf(file: string, text: string): StackState {
  const { resources = [], pending_operations: pending } =
    (JSON.parse(text) as Checkpoint).checkpoint?.latest ?? {};
  return {
    stack: file.slice(0, -".json".length),
    resources: resources
      .filter(({ type, pendingReplacement }) => type.startsWith("aws:") && pendingReplacement !== true)
      .map(
        (resource): StateResource => ({
          urn: resource.urn,
          type: resource.type,
          awsId: resource.id ?? "",
          isLeaving: resource.delete === true,
          inputs: resource.inputs ?? {},
        }),
      ),
    pending: (pending ?? []).map(({ type, resource }) => `${type} ${resource.urn}`),
  };
}

export async function readLocks(stateFolder: string): Promise<string[]> {
  const folder = join(stateFolder, ".pulumi", "locks");
  return (await filesBelow(folder))
    .map((file) => relative(folder, file))
    .filter((file) => !file.endsWith(".attrs"));
}

/** What an engine that was killed while it wrote left in the backend. */
export async function readStrayStateFiles(stateFolder: string): Promise<string[]> {
  const known = /(\.json|\.json\.bak|\.json\.gz|meta\.yaml)(\.attrs)?$/;
  return (await filesBelow(stateFolder))
    .filter((file) => !known.test(file))
    .map((file) => relative(stateFolder, file));
}

export async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  return entries.filter((entry) => !entry.isDirectory()).map((entry) => join(entry.parentPath, entry.name));
}
