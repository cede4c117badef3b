import type { ProviderConfiguration } from "./configuration.ts";
import { type Identifiers, newIdentifiers, randomToken } from "./identifiers.ts";
import {
  filledInputs,
  type Output,
  outputsByName,
  outputsByType,
  type Rule,
  renewedOutputs,
} from "./output-rules.ts";
import type { Facts, PropertySchema, ResourceType } from "./schema.ts";
import { actualTags } from "./tags.ts";
import type { PropertyMap, PropertyValue } from "./values.ts";

export interface NewResource extends Identifiers {
  readonly outputs: PropertyMap;
}

interface Request {
  readonly type: ResourceType;
  readonly inputs: PropertyMap;
  readonly configuration: ProviderConfiguration;
  readonly now: Date;
  /** Outputs that only the store can give, such as the revision of a task definition. */
  readonly given?: PropertyMap;
}

export function effectiveRegion(inputs: PropertyMap, configuration: ProviderConfiguration): string {
  return typeof inputs.region === "string" ? inputs.region : configuration.region;
}

/** The id, ARN and outputs that AWS would give to a new resource with these inputs. */
export function newResource(request: Request): NewResource {
  const { type, configuration, inputs } = request;
  const region = effectiveRegion(inputs, configuration);
  const properties = withDefaults(request, undefined, region);
  const ids = newIdentifiers({
    type,
    properties: { ...properties, ...request.given },
    configuration,
    region,
  });
  const output: Output = {
    properties,
    configuration,
    region,
    id: ids.id,
    arn: ids.arn ?? "",
    now: request.now,
  };
  const computed = computedOutputs(type, output, (name) => request.given?.[name]);
  // Where the ARN could also be given, it is no purely computed output.
  if (ids.arn !== undefined && type.inputs.has("arn")) computed.arn = properties.arn ?? ids.arn;
  return { ...ids, outputs: { ...properties, ...computed } };
}

/** The outputs after an update; what AWS generated at creation stays. */
export function updatedOutputs(request: Request, id: string, previous: PropertyMap): PropertyMap {
  const { type, configuration } = request;
  const region =
    typeof previous.region === "string" ? previous.region : effectiveRegion(request.inputs, configuration);
  const properties = withDefaults(request, previous, region);
  const arn = typeof previous.arn === "string" ? previous.arn : "";
  const output: Output = { properties, configuration, region, id, arn, now: request.now };
  const kind = kindOf(type);
  const computed = computedOutputs(type, output, (name) =>
    renewedOutputs[kind]?.includes(name) ? undefined : previous[name],
  );
  if (arn !== "" && type.inputs.has("arn")) computed.arn = properties.arn ?? arn;
  if (kind === "ssm/parameter") computed.version = Number(previous.version ?? 0) + 1;
  return { ...properties, ...computed };
}

/** What a preview can know of a resource that doesn't exist yet: no more than its inputs, defaults and tags. */
export function plannedOutputs(request: Request): PropertyMap {
  const { defaults } = request.type.facts;
  const outputs: PropertyMap = { ...(defaults as PropertyMap | undefined), ...visible(request.inputs) };
  if (request.type.inputs.has("region"))
    outputs.region = effectiveRegion(request.inputs, request.configuration);
  if (request.type.outputs.has("tagsAll"))
    outputs.tagsAll = actualTags(request.inputs.tags, request.configuration);
  return outputs;
}

function visible(inputs: PropertyMap): PropertyMap {
  if (!("__defaults" in inputs)) return inputs;
  const { __defaults: _, ...rest } = inputs;
  return rest;
}

function kindOf(type: ResourceType): string {
  return type.token.split(":")[1] ?? "";
}

function withDefaults(request: Request, previous: PropertyMap | undefined, region: string): PropertyMap {
  const { type, configuration, now } = request;
  const properties: PropertyMap = {
    ...(type.facts.defaults as PropertyMap | undefined),
    ...visible(request.inputs),
  };
  for (const [name, rule] of Object.entries(filledInputs[kindOf(type)] ?? {})) {
    if (properties[name] !== undefined) continue;
    const value = previous?.[name] ?? rule({ properties, configuration, region, id: "", arn: "", now });
    if (value !== undefined) properties[name] = value;
  }
  nameByPrefix(type.facts, properties, previous);
  if (type.inputs.has("region")) properties.region = region;
  return properties;
}

/** `namePrefix` instead of a name: the provider appends the moment and a counter. */
function nameByPrefix(facts: Facts, properties: PropertyMap, previous: PropertyMap | undefined): void {
  const { input, unlessSet } = facts.autoName ?? {};
  const prefix = unlessSet === undefined ? undefined : properties[unlessSet];
  if (input === undefined || typeof prefix !== "string" || properties[input] !== undefined) return;
  properties[input] = previous?.[input] ?? `${prefix}${Date.now()}${randomToken(13, "hex")}`;
}

function computedOutputs(
  type: ResourceType,
  output: Output,
  previous: (name: string) => PropertyValue | undefined,
): PropertyMap {
  const computed: PropertyMap = {};
  const special = outputsByType[kindOf(type)];
  for (const [name, schema] of type.outputs) {
    const value =
      name === "tagsAll"
        ? actualTags(output.properties.tags, output.configuration)
        : (previous(name) ?? outputValue(name, schema, output, special));
    if (value !== undefined) computed[name] = value;
  }
  return computed;
}

function outputValue(
  name: string,
  schema: PropertySchema,
  output: Output,
  special: Readonly<Record<string, Rule>> | undefined,
) {
  if (name === "arn") return output.arn;
  const rule = special?.[name] ?? outputsByName[name];
  return rule ? rule(output) : emptyValue(schema);
}

function emptyValue(schema: PropertySchema): PropertyValue | undefined {
  switch (schema.type.kind) {
    case "string":
      return "";
    case "number":
      return 0;
    case "boolean":
      return false;
    case "list":
      return [];
    case "map":
      return {};
    default:
      return undefined;
  }
}
