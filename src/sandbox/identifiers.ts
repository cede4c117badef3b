import { createHash, randomBytes, randomUUID } from "node:crypto";
import { digestOf } from "../digest.ts";
import type { ProviderConfiguration } from "./configuration.ts";
import type { Facts, ResourceType } from "./schema.ts";
import type { PropertyMap } from "./values.ts";

export interface Identifiers {
  readonly id: string;
  readonly arn: string | undefined;
}

interface Source {
  readonly type: ResourceType;
  /** Inputs with the provider's defaults filled in. */
  readonly properties: PropertyMap;
  readonly configuration: ProviderConfiguration;
  /** Where the resource is: its own `region` input, else the provider's. */
  readonly region: string;
}

const alphabets = {
  hex: "0123456789abcdef",
  alnum: "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789",
  "lower alnum": "abcdefghijklmnopqrstuvwxyz0123456789",
  "upper alnum": "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789",
} as const;

export function randomToken(length: number, alphabet: keyof typeof alphabets): string {
  const letters = alphabets[alphabet];
  return [...randomBytes(length)].map((byte) => letters[byte % letters.length]).join("");
}

/** Ids whose form is no plain template over the resource's own properties. */
const specialIds: Readonly<Record<string, (source: Source) => string>> = {
  "cloudwatch/eventRule": ({ properties }) => withBus(properties, "/", text(properties, "name")),
  "cloudwatch/eventTarget": ({ properties }) =>
    withBus(properties, "-", `${text(properties, "rule")}-${text(properties, "targetId")}`),
  "ec2/defaultSecurityGroup": ({ properties }) =>
    text(properties, "adoptedId") || `sg-${randomToken(17, "hex")}`,
  "ec2/route": ({ properties }) =>
    `r-${text(properties, "routeTableId")}${decimalHash(
      text(properties, "destinationCidrBlock") +
        text(properties, "destinationIpv6CidrBlock") +
        text(properties, "destinationPrefixListId"),
    )}`,
  "kms/key": ({ properties }) =>
    properties.multiRegion === true ? `mrk-${randomToken(32, "hex")}` : randomUUID(),
  "kms/replicaKey": ({ properties }) => text(properties, "primaryKeyArn").split("/").at(-1) ?? "",
  "lambda/functionEventInvokeConfig": ({ properties }) =>
    [text(properties, "functionName"), text(properties, "qualifier")].filter(Boolean).join(":"),
  "secretsmanager/secretVersion": ({ properties }) => `${text(properties, "secretId")}|${randomUUID()}`,
};

/** ARNs likewise. */
const specialArns: Readonly<Record<string, (source: Source) => string>> = {
  "cloudwatch/eventRule": (source) =>
    arnOf(source, "events", `rule/${withBus(source.properties, "/", text(source.properties, "name"))}`),
  "ecs/service": (source) =>
    arnOf(source, "ecs", `service/${lastSegment(source, "cluster")}/${text(source.properties, "name")}`),
  "lb/listener": (source) =>
    `${text(source.properties, "loadBalancerArn").replace(":loadbalancer/", ":listener/")}/${randomToken(16, "hex")}`,
  "lb/listenerRule": (source) =>
    `${text(source.properties, "listenerArn").replace(":listener/", ":listener-rule/")}/${randomToken(16, "hex")}`,
  "lb/loadBalancer": (source) =>
    arnOf(
      source,
      "elasticloadbalancing",
      `loadbalancer/${loadBalancerKind(source.properties)}/${text(source.properties, "name")}/${randomToken(16, "hex")}`,
    ),
  "organizations/policy": ({ configuration }) =>
    `arn:${configuration.partition}:organizations::${configuration.account}:policy/o-${randomToken(10, "lower alnum")}/service_control_policy/{id}`,
  "securityhub/standardsSubscription": (source) =>
    text(source.properties, "standardsArn").replace(
      /:securityhub:[^:]*:[^:]*:(ruleset|standards)/,
      () => `:securityhub:${source.region}:${source.configuration.account}:subscription`,
    ),
  "ssm/parameter": (source) =>
    arnOf(source, "ssm", `parameter/${text(source.properties, "name").replace(/^\//, "")}`),
  "iam/openIdConnectProvider": ({ properties, configuration }) =>
    `arn:${configuration.partition}:iam::${configuration.account}:oidc-provider/${text(properties, "url").replace(/^https:\/\//, "")}`,
  "iam/serviceLinkedRole": ({ properties, configuration }) => {
    const service = text(properties, "awsServiceName");
    const [name = ""] = service.split(".");
    const role = `AWSServiceRoleFor${name.charAt(0).toUpperCase()}${name.slice(1)}`;
    return `arn:${configuration.partition}:iam::${configuration.account}:role/aws-service-role/${service}/${role}`;
  },
  "wafv2/ipSet": (source) => webFirewallArn(source, "ipset"),
  "wafv2/regexPatternSet": (source) => webFirewallArn(source, "regexpatternset"),
  "wafv2/ruleGroup": (source) => webFirewallArn(source, "rulegroup"),
  "wafv2/webAcl": (source) => webFirewallArn(source, "webacl"),
};

function webFirewallArn(source: Source, kind: string): string {
  const scope = source.properties.scope === "CLOUDFRONT" ? "global" : "regional";
  return arnOf(source, "wafv2", `${scope}/${kind}/${text(source.properties, "name")}/{id}`);
}

function text(properties: PropertyMap, name: string): string {
  const value = properties[name];
  if (value === undefined || value === null) return "";
  return typeof value === "object" ? digestOf(value) : String(value);
}

function lastSegment(source: Source, name: string): string {
  return text(source.properties, name).split("/").at(-1) ?? "";
}

function arnOf(source: Source, service: string, resource: string): string {
  return `arn:${source.configuration.partition}:${service}:${source.region}:${source.configuration.account}:${resource}`;
}

function withBus(properties: PropertyMap, separator: string, rest: string): string {
  const bus = text(properties, "eventBusName");
  return bus === "" || bus === "default" ? rest : `${bus}${separator}${rest}`;
}

function loadBalancerKind(properties: PropertyMap): string {
  const kinds: Record<string, string> = { network: "net", gateway: "gwy" };
  return kinds[text(properties, "loadBalancerType")] ?? "app";
}

function decimalHash(value: string): string {
  return String(createHash("sha256").update(value).digest().readUInt32BE());
}

/** The id and ARN that AWS would give to a new resource. Generated parts are random, as AWS's are. */
export function newIdentifiers(source: Source): Identifiers {
  const { facts, token } = source.type;
  const kind = token.split(":")[1] ?? "";
  if (facts.id === "{arn}" && !(source.properties.arn ?? false)) {
    const arn = fill(arnTemplate(facts, kind, source), source, {});
    return { id: arn, arn };
  }
  const special = specialIds[kind];
  const id = special ? special(source) : fill(facts.id, source, {});
  const template = facts.arn === null && !specialArns[kind] ? undefined : arnTemplate(facts, kind, source);
  return { id, arn: template === undefined ? undefined : fill(template, source, { id }) };
}

function arnTemplate(facts: Facts, kind: string, source: Source): string {
  return specialArns[kind]?.(source) ?? facts.arn ?? "";
}

function fill(template: string, source: Source, known: { id?: string }): string {
  return template
    .replace(/\[([^\]]*)\]/g, (_, optional: string) => {
      const filled = fill(optional, source, known);
      return /\{(\w+)\}/.test(optional) && filled === optional.replace(/\{\w+\}/g, "") ? "" : filled;
    })
    .replace(/<(\d+) (hex|alnum|lower alnum|upper alnum)>/g, (_, length: string, alphabet) =>
      randomToken(Number(length), alphabet as keyof typeof alphabets),
    )
    .replace(/<uuid>/g, () => randomUUID())
    .replace(/<[^>]*decimal hash[^>]*>/g, () => decimalHash(randomUUID()))
    .replace(/<terraform-[^>]*>/g, () => `terraform-${Date.now()}${randomToken(10, "hex")}`)
    .replace(/ \(.*\)$/, "")
    .replace(/\{(lower )?(\w+)\}/g, (_, lower: string | undefined, name: string) => {
      const value = placeholder(name, source, known);
      return lower ? value.toLowerCase() : value;
    });
}

function placeholder(name: string, source: Source, known: { id?: string }): string {
  const { configuration, properties, region } = source;
  if (name === "partition") return configuration.partition;
  if (name === "account") return configuration.account;
  if (name === "region") return region;
  if (name === "id" && known.id !== undefined) return known.id;
  if (name === "catalogId") return text(properties, "catalogId") || configuration.account;
  return text(properties, name);
}

/** What no two resources may share; the store refuses a second one or, for settings, lets it take the first one's place. */
export function identityKey(
  type: ResourceType,
  properties: PropertyMap,
  where: { readonly account: string; readonly region: string },
  ids: Identifiers,
): string {
  const { unique, uniqueBy } = type.facts;
  const kind = type.token.split(":")[1] ?? type.token;
  const values = (uniqueBy ?? []).map((name) => text(properties, name));
  switch (unique) {
    case "global":
      return [kind, ...values].join("|");
    case "account":
      return [kind, where.account, ...values].join("|");
    case "account-region":
    case "parent":
      return [kind, where.account, where.region, ...values].join("|");
    default:
      return [kind, where.account, where.region, ids.arn ?? ids.id].join("|");
  }
}
