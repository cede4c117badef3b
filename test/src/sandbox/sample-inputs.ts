import type { Facts, ResourceType, Schema, ShapeSchema, TypeRef } from "../../../src/sandbox/schema.ts";
import type { PropertyMap, PropertyValue } from "../../../src/sandbox/values.ts";

/** Inputs that name every required property of a type, with values of the right kind. */
export function requiredInputs(schema: Schema, type: ResourceType): PropertyMap {
  const inputs: PropertyMap = {};
  for (const [name, property] of type.inputs) {
    if (property.required) inputs[name] = sample(schema, type.facts, name, property.type);
  }
  const name = type.facts.autoName?.input;
  if (name !== undefined && inputs[name] === undefined) inputs[name] = "thing";
  return inputs;
}

function sample(schema: Schema, facts: Facts, name: string, type: TypeRef): PropertyValue {
  const [allowed] = facts.enums?.[name] ?? [];
  if (allowed !== undefined) return type.kind === "list" ? [allowed] : allowed;
  switch (type.kind) {
    case "number":
      return facts.ranges?.[name]?.[0] ?? 1;
    case "boolean":
      return true;
    case "list":
      return [sample(schema, facts, name, type.element)];
    case "map":
      return { key: sample(schema, facts, name, type.element) };
    case "object":
      return Object.fromEntries(
        [...schema.object(type.name)]
          .filter(([, property]) => property.required)
          .map(([member, property]) => [member, sample(schema, facts, `${name}.${member}`, property.type)]),
      );
    case "json":
      return "{}";
    default:
      return /arn/i.test(name) ? "arn:aws:iam::111122223333:role/thing" : "thing";
  }
}

/** Whether a type has an input at such a path of the facts, `rules.destination.bucket`. */
export function hasInput(schema: Schema, type: ResourceType, path: string): boolean {
  let shape: ShapeSchema | undefined = type.inputs;
  for (const step of path.split(".")) {
    const reference: TypeRef | undefined = shape?.get(step)?.type;
    if (!reference) return false;
    const element: TypeRef = reference.kind === "list" ? reference.element : reference;
    shape = element.kind === "object" ? schema.object(element.name) : undefined;
  }
  return true;
}
