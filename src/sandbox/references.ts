import type { ResourceType, Schema } from "./schema.ts";
import type { Reference } from "./store.ts";
import type { PropertyMap, PropertyValue } from "./values.ts";
import { isUnknown, valuesAt } from "./values.ts";

interface Where {
  readonly account: string;
  readonly region: string;
}

/** The values among the inputs that AWS would look up: those of the own account that can only name a known type. */
export function referencesOf(
  schema: Schema,
  type: ResourceType,
  inputs: PropertyMap,
  where: Where,
): Reference[] {
  const found: Reference[] = [];
  for (const [property, targets] of Object.entries(type.facts.references ?? {})) {
    if (type.facts.unverified?.includes(property)) continue;
    const targetTypes = targets.split("|").map((target) => target.trim());
    for (const value of valuesAt(inputs, property.split("."))) {
      const reference = referenceTo(schema, targetTypes, value, where);
      if (reference) found.push({ property, ...reference });
    }
  }
  return found;
}

function referenceTo(
  schema: Schema,
  targets: readonly string[],
  value: PropertyValue,
  where: Where,
): Omit<Reference, "property"> | undefined {
  if (typeof value !== "string" || value === "" || isUnknown(value)) return undefined;
  if (value.startsWith("arn:")) return arnReference(schema, targets, value, where);
  const named = targets.filter((target) => couldBeId(schema, target, value));
  // As long as one of the alternatives isn't known by such a value, it may be meant.
  return named.length === targets.length ? { value: normalizedId(value), types: named } : undefined;
}

function arnReference(
  schema: Schema,
  targets: readonly string[],
  value: string,
  where: Where,
): Omit<Reference, "property"> | undefined {
  const [, , service, , account] = value.split(":");
  const isOwn = account === where.account || (service === "s3" && account === "");
  if (!isOwn || value.includes(":alias/") || value.includes("/aws-service-role/")) return undefined;
  const ofService = targets.filter((target) => schema.resource(target)?.facts.arn?.split(":")[2] === service);
  if (ofService.length === 0) return undefined;
  return { value: normalizedArn(value, service), types: ofService };
}

/** Qualifiers and wild cards name a part of the resource that the ARN stands for. */
function normalizedArn(arn: string, service: string | undefined): string {
  const parts = arn.split(":");
  if (service === "s3") return arn.split("/")[0] ?? arn;
  if (service === "lambda" && parts[5] === "function") return parts.slice(0, 7).join(":");
  return arn.endsWith(":*") ? arn.slice(0, -2) : arn;
}

// API Gateway v2 routes say `integrations/<id>`.
function normalizedId(value: string): string {
  return value.startsWith("integrations/") ? value.slice("integrations/".length) : value;
}

// What every account has without creating it.
const ownedByAws = /^(default$|Default$|CodeDeployDefault\.)/;

/** Whether such a value can only be the id or name of this type. Paths, addresses and URLs name something else too. */
function couldBeId(schema: Schema, token: string, value: string): boolean {
  const id = schema.resource(token)?.facts.id;
  if (id === undefined || ownedByAws.test(value)) return false;
  const generated = /^([a-zA-Z]*-?)<\d+ [a-z ]+>$/.exec(id);
  if (generated) return value.startsWith(generated[1] ?? "") || value.startsWith("integrations/");
  if (token === "aws:kms/key:Key")
    return /^(mrk-[0-9a-f]{32}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})$/.test(value);
  if (namesWithSlashes.has(token)) return !value.includes(":") || value.startsWith("https://sqs.");
  return /^[\w.+=,-]+$/.test(value);
}

const namesWithSlashes = new Set([
  "aws:appautoscaling/target:Target",
  "aws:cloudwatch/logGroup:LogGroup",
  "aws:ecr/repository:Repository",
  "aws:sqs/queue:Queue",
]);
