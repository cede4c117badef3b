import type { PropertyMap, PropertyValue } from "./values.ts";
import { isMap } from "./values.ts";

/** One provider resource of one engine: whose account and which region its calls act on. */
export interface ProviderConfiguration {
  readonly account: string;
  readonly region: string;
  readonly partition: string;
  readonly dnsSuffix: string;
  readonly defaultTags: Readonly<Record<string, string>>;
  readonly ignoredTagKeys: readonly string[];
  readonly ignoredTagPrefixes: readonly string[];
  /** Aborts when the engine gives up: on its cancel, or when it closes the connection. */
  readonly cancelled?: AbortSignal;
}

export function partitionOf(region: string): { partition: string; dnsSuffix: string } {
  if (region.startsWith("cn-")) return { partition: "aws-cn", dnsSuffix: "amazonaws.com.cn" };
  if (region.startsWith("us-gov-")) return { partition: "aws-us-gov", dnsSuffix: "amazonaws.com" };
  return { partition: "aws", dnsSuffix: "amazonaws.com" };
}

/** Reads a provider's inputs. The account comes from `allowedAccountIds`, else from the role to assume. */
export function parseConfiguration(inputs: PropertyMap): ProviderConfiguration {
  const region = typeof inputs.region === "string" && inputs.region !== "" ? inputs.region : "us-east-1";
  const ignoreTags = isMap(inputs.ignoreTags) ? inputs.ignoreTags : {};
  const defaultTags = isMap(inputs.defaultTags) ? inputs.defaultTags.tags : undefined;
  return {
    account: accountOf(inputs),
    region,
    ...partitionOf(region),
    defaultTags: isMap(defaultTags) ? textEntries(defaultTags) : {},
    ignoredTagKeys: strings(ignoreTags.keys),
    ignoredTagPrefixes: strings(ignoreTags.keyPrefixes),
  };
}

function accountOf(inputs: PropertyMap): string {
  const [allowed] = strings(inputs.allowedAccountIds);
  if (allowed !== undefined) return allowed;
  const roles = inputs.assumeRoles;
  const [role] = Array.isArray(roles) ? roles : [];
  const arn = isMap(role) ? role.roleArn : undefined;
  return (typeof arn === "string" ? /^arn:[^:]*:iam::(\d{12}):/.exec(arn)?.[1] : undefined) ?? "000000000000";
}

function strings(value: PropertyValue | undefined): string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === "string") : [];
}

function textEntries(map: PropertyMap): Record<string, string> {
  return Object.fromEntries(Object.entries(map).map(([name, value]) => [name, String(value)]));
}

export function isIgnoredTag(configuration: ProviderConfiguration, key: string): boolean {
  return (
    configuration.ignoredTagKeys.includes(key) ||
    configuration.ignoredTagPrefixes.some((prefix) => key.startsWith(prefix))
  );
}
