import { embeddedReferences } from "./embedded-references.ts";
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
  const add = (property: string, targets: readonly string[], value: PropertyValue | undefined): void => {
    const reference = referenceTo(schema, targets, value, where);
    if (reference) found.push({ property, ...reference });
  };
  for (const [property, targets] of targetsByProperty(type)) {
    if (type.facts.unverified?.includes(property)) continue;
    for (const value of valuesAt(inputs, property.split("."))) add(property, targets, value);
  }
  for (const { property, types, value } of embeddedReferences(type.token, inputs))
    add(property, types, value);
  return found;
}

function targetsByProperty(type: ResourceType): [string, readonly string[]][] {
  return Object.entries(type.facts.references ?? {}).map(([property, targets]) => [
    property,
    targets.split("|").map((target) => target.trim()),
  ]);
}

/** A reference to a resource of another region than AWS allows there, with the region that it should be of. */
export function foreignReference(
  schema: Schema,
  type: ResourceType,
  inputs: PropertyMap,
  where: Where,
): { property: string; value: string } | undefined {
  // What has no region itself may name a resource of any.
  if (!type.inputs.has("region")) return undefined;
  for (const [property, targets] of targetsByProperty(type)) {
    if (type.facts.crossRegion?.includes(property)) continue;
    for (const value of valuesAt(inputs, property.split("."))) {
      if (typeof value !== "string" || !value.startsWith("arn:") || isUnknown(value)) continue;
      const [, , , region] = value.split(":");
      if (region === "" || region === where.region) continue;
      // Event buses take events from everywhere; other kinds of target are of the rule's own region.
      if (value.includes(":event-bus/")) continue;
      if (targets.some((target) => isArnOf(schema, target, value))) return { property, value };
    }
  }
  return undefined;
}

function referenceTo(
  schema: Schema,
  targets: readonly string[],
  value: PropertyValue | undefined,
  where: Where,
): Omit<Reference, "property"> | undefined {
  if (typeof value !== "string" || value === "" || isUnknown(value)) return undefined;
  if (value.startsWith("arn:")) return arnReference(schema, targets, value, where);
  const named = targets.filter((target) => couldBeId(schema, target, value));
  // As long as one of the alternatives isn't known by such a value, it may be meant.
  if (named.length < targets.length) return undefined;
  const anywhere = named.filter((target) => isOfAllRegions(schema, target));
  return { value: normalizedId(value), types: named, region: where.region, anywhere };
}

/** Names of these mean the same in every region. */
function isOfAllRegions(schema: Schema, token: string): boolean {
  const unique = schema.resource(token)?.facts.unique;
  return unique === "account" || unique === "global" || token.startsWith("aws:cloudfront/");
}

function arnReference(
  schema: Schema,
  targets: readonly string[],
  value: string,
  where: Where,
): Omit<Reference, "property"> | undefined {
  const [, , service = "", region = "", account] = value.split(":");
  const isOwn = account === where.account || (account === "" && servicesWithoutAccount.has(service));
  if (!isOwn || value.includes(":alias/") || /\/aws-(service-role|reserved)\//.test(value)) return undefined;
  if (value.endsWith(":event-bus/default") || value.includes("${")) return undefined;
  const types = targets.filter((target) => isArnOf(schema, target, value));
  if (types.length === 0) return undefined;
  return { value: normalizedArn(value, service), types, region, anywhere: types };
}

const servicesWithoutAccount = new Set(["s3", "apigateway"]);

/** Whether the ARN is of the form that this type's have, as far as that is fixed text. */
function isArnOf(schema: Schema, token: string, arn: string): boolean {
  const template = schema.resource(token)?.facts.arn;
  const form = /^arn:[^:]*:([^:]*):[^:]*:[^:]*:(.*)$/.exec(template ?? "");
  if (!form) return false;
  const [, service, resource = ""] = form;
  const [, , ofService, , , ...rest] = arn.split(":");
  const fixed = /^[^{<[(]*/.exec(resource)?.[0] ?? "";
  return service === ofService && rest.join(":").startsWith(fixed);
}

/** Qualifiers and wild cards name a part of the resource that the ARN stands for. */
function normalizedArn(arn: string, service: string): string {
  const parts = arn.split(":");
  if (service === "s3") return arn.split("/")[0] ?? arn;
  if (service === "lambda" && parts[5] === "function") return parts.slice(0, 7).join(":");
  return arn.endsWith(":*") ? arn.slice(0, -2) : arn;
}

// API Gateway v2 routes say `integrations/<id>`.
function normalizedId(value: string): string {
  return value.startsWith("integrations/") ? value.slice("integrations/".length) : value;
}

// What every account has without creating it, and CloudFront's managed policies, which AWS documents by id:
// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/using-managed-cache-policies.html (and -origin-request-, -response-headers-).
const ownedByAws =
  /^(default$|Default$|primary$|AWS-|AWSLambda|CodeDeployDefault\.|(658327ea|4135ea2d|83da9c7e|4cc15a8a|b2884449|08627262|2e54312d|216adef6|b689b0a8|88a5eaf4|59781a5b|acba4595|33f36d7e|775133bc|67f7725c|60669652|5cc3b908|e61eb60c|eaab4381)-)/;

/** Whether such a value can only be the id or name of this type. Paths, addresses and URLs name something else too. */
function couldBeId(schema: Schema, token: string, value: string): boolean {
  const id = schema.resource(token)?.facts.id;
  if (id === undefined || ownedByAws.test(value) || value.includes("${")) return false;
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
  "aws:secretsmanager/secret:Secret",
  "aws:sqs/queue:Queue",
  "aws:ssm/parameter:Parameter",
]);
