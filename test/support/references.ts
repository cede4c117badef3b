import { readFile } from "node:fs/promises";

interface Resource {
  readonly urn: string;
  readonly type: string;
  readonly id?: string;
  readonly dependencies: readonly string[];
  readonly inputs: unknown;
  readonly outputs: { readonly arn?: string };
}

interface Facts {
  readonly types: Readonly<Record<string, { readonly references?: Readonly<Record<string, string>> }>>;
}

const file = new URL("../../src/sandbox/schema/aws-facts.json", import.meta.url);
const facts = JSON.parse(await readFile(file, "utf8")) as Facts;

/**
 * References that AWS checks when it creates a resource, to something of the same stack that the resource doesn't wait for: by
 * `urn path -> urn`. Such a stack comes up on some runs and not on others.
 */
export function unorderedReferences(resources: readonly Resource[]): string[] {
  const byUrn = new Map(resources.map((resource) => [resource.urn, resource]));
  const waitsFor = (urn: string, seen = new Set<string>()): Set<string> => {
    for (const next of byUrn.get(urn)?.dependencies ?? []) {
      if (!seen.has(next)) waitsFor(next, seen.add(next));
    }
    return seen;
  };
  return resources.flatMap((resource) => {
    const waited = waitsFor(resource.urn);
    const paths = Object.keys(facts.types[resource.type]?.references ?? {});
    return paths.flatMap((path) =>
      valuesAt(resource.inputs, path.split(".")).flatMap((value) =>
        resources
          .filter(
            (other) => other.urn !== resource.urn && names(other).includes(value) && !waited.has(other.urn),
          )
          // Parts of a bucket share its name; only the bucket itself is meant.
          .filter((other) => facts.types[resource.type]?.references?.[path]?.includes(other.type))
          .map((other) => `${resource.urn} ${path} -> ${other.urn}`),
      ),
    );
  });
}

function names({ id, outputs }: Resource): unknown[] {
  return [id, outputs.arn].filter((name) => name !== undefined);
}

function valuesAt(value: unknown, path: readonly string[]): unknown[] {
  if (Array.isArray(value)) return value.flatMap((item) => valuesAt(item, path));
  const [key, ...rest] = path;
  if (key === undefined) return [value];
  if (typeof value !== "object" || value === null) return [];
  return valuesAt((value as Record<string, unknown>)[key], rest);
}
