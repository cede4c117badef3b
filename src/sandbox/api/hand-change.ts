import { invalid } from "../../http/validation.ts";
import { checkInputs } from "../check.ts";
import { updatedOutputs } from "../computed.ts";
import { type ProviderConfiguration, partitionOf } from "../configuration.ts";
import { diffResource } from "../diff.ts";
import type { ResourceType, Schema } from "../schema.ts";
import type { StoredResource } from "../store.ts";
import { isMap, type Path, type PropertyMap, type PropertyValue, pathText } from "../values.ts";

/** A resource's properties after somebody changed it outside of the program. */
export interface HandChange {
  readonly inputs: PropertyMap;
  readonly outputs: PropertyMap;
}

/**
 * Applies a JSON merge patch to a resource's properties as the AWS console would: refuses what isn't a property, what AWS
 * refuses, and what AWS can't change on an existing resource. Throws `invalid_request` that names every failing property.
 */
export function changeByHand(
  schema: Schema,
  type: ResourceType,
  row: StoredResource,
  patch: PropertyMap,
): HandChange {
  const inputs = patchedInputs(row, patch);
  const configuration = configurationOf(row, patch);
  const naming = {
    logicalName: row.name ?? "",
    olds: row.inputs,
    seed: new Uint8Array(),
    autonaming: noNames,
  };
  const checked = checkInputs(schema, type, inputs, naming);
  if (checked.failures.length > 0) {
    throw invalid(
      "invalid_request",
      checked.failures.map(({ path, message }) => ({ path: pointer(path), message })),
    );
  }
  const { changes } = diffResource(type, {
    oldInputs: row.inputs,
    oldOutputs: row.outputs,
    news: checked.inputs,
    configuration,
  });
  const immutable = changes.filter((change) => change.replaces);
  if (immutable.length > 0) {
    throw invalid(
      "invalid_request",
      immutable.map(({ path }) => ({
        path: pointer(path),
        message: `${pathText(path)} of an existing ${type.token} can't be changed, on AWS neither: delete the resource instead`,
      })),
    );
  }
  const request = { type, inputs: checked.inputs, configuration, now: new Date() };
  return { inputs: checked.inputs, outputs: updatedOutputs(request, row.aws_id, row.outputs) };
}

const noNames = { mode: "disable", proposedName: "" } as const;

function patchedInputs(row: StoredResource, patch: PropertyMap): PropertyMap {
  const inputs: PropertyMap = { ...row.inputs };
  for (const [name, change] of Object.entries(patch)) {
    if (change === null) delete inputs[name];
    else inputs[name] = mergePatch(inputs[name] ?? row.outputs[name], change);
  }
  // A default tag that was removed by hand is no tag of the resource's own.
  if (isMap(inputs.tags)) inputs.tags = withoutNulls(inputs.tags);
  return inputs;
}

/** RFC 7396. */
function mergePatch(target: PropertyValue | undefined, patch: PropertyValue): PropertyValue {
  if (!isMap(patch)) return patch;
  const merged: PropertyMap = isMap(target) ? { ...target } : {};
  for (const [name, change] of Object.entries(patch)) {
    if (change === null) delete merged[name];
    else merged[name] = mergePatch(merged[name], change);
  }
  return merged;
}

function withoutNulls(map: PropertyMap): PropertyMap {
  return Object.fromEntries(Object.entries(map).filter(([, value]) => value !== null));
}

/** The provider is not at hand, but what its default tags were shows in the tags that the program didn't give. */
function configurationOf(row: StoredResource, patch: PropertyMap): ProviderConfiguration {
  const all = isMap(row.outputs.tagsAll) ? row.outputs.tagsAll : {};
  const own = isMap(row.inputs.tags) ? row.inputs.tags : {};
  const patched = isMap(patch.tags) ? patch.tags : {};
  const defaults = Object.entries(all).filter(([key]) => !(key in own) && patched[key] !== null);
  return {
    account: row.account,
    region: row.region,
    ...partitionOf(row.region),
    defaultTags: Object.fromEntries(defaults.map(([key, value]) => [key, String(value)])),
    ignoredTagKeys: [],
    ignoredTagPrefixes: [],
  };
}

/** A JSON pointer. */
export function pointer(path: Path): string {
  return path.map((step) => `/${String(step).replaceAll("~", "~0").replaceAll("/", "~1")}`).join("");
}
