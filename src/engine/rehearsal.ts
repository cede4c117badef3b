import { setImmediate as nextTurn } from "node:timers/promises";
import * as pulumi from "@pulumi/pulumi";
import type { PulumiFn } from "@pulumi/pulumi/automation/index.js";
import resources from "@pulumi/pulumi/proto/resource_pb.js";
import structs from "google-protobuf/google/protobuf/struct_pb.js";
import type { AwsAccount } from "../../programs/inputs.ts";
import { namesOf, type StackResource } from "../../programs/policies/stack.ts";
import { notYetKnown, type Properties } from "../../programs/policies/values.ts";
import { unknownText } from "./unknown.ts";

export interface RehearsedStack {
  readonly project: string;
  readonly name: string;
  readonly account: Pick<AwsAccount, "accountId" | "region">;
}

// https://github.com/pulumi/pulumi/blob/master/sdk/nodejs/runtime/rpc.ts
const signature = "4dabf18193072939515e22adb298388d";
const secretSignature = "1b47061264138c4ac30d75fd1eb44270";
const resourceSignature = "5cf8f73096256a8f31e491e813e4eb8e";

type Request = resources.RegisterResourceRequest;
type Answer = (error: Error | null, response: resources.RegisterResourceResponse) => void;

interface Monitor {
  registerResource(request: Request, answer: Answer): void;
  registerResourceOutputs(request: unknown, answer: (error: Error | null, response: object) => void): void;
}

/**
 * Runs a program to its end against no engine and returns everything that it would register. Ids and ARNs are made up in AWS's
 * form, so that references and documents are whole although nothing exists yet; whatever else only AWS knows is `notYetKnown`.
 * Touches nothing outside this process; throws what the program throws.
 */
export async function rehearse(program: PulumiFn, stack: RehearsedStack): Promise<StackResource[]> {
  const failures: unknown[] = [];
  const onFailure = (error: unknown) => failures.push(error);
  // The program's own promises: without a listener one that fails would end the process.
  process.on("unhandledRejection", onFailure);
  try {
    const registered = await record(program, stack);
    if (failures.length > 0) throw failures[0];
    return registered;
  } finally {
    process.off("unhandledRejection", onFailure);
  }
}

async function record(program: PulumiFn, stack: RehearsedStack): Promise<StackResource[]> {
  const registered: StackResource[] = [];
  await pulumi.runtime.setMocks(
    {
      newResource: () => {
        throw new Error("Programs read no resources of others");
      },
      call: ({ token }) => answerTo(token, stack.account),
    },
    stack.project,
    stack.name,
    true,
  );
  const monitor = pulumi.runtime.getMonitor() as unknown as Monitor;
  monitor.registerResource = (request, answer) => {
    const resource = rehearsed(request, stack);
    registered.push(resource.registered);
    answer(null, resource.response);
  };
  monitor.registerResourceOutputs = (_, answer) => answer(null, {});
  await program();
  await pulumi.runtime.disconnect();
  // Nothing here waits for anything outside, so what is left to run, and to fail, is over before the next turn.
  await nextTurn();
  return registered;
}

function rehearsed(request: Request, stack: RehearsedStack) {
  const type = request.getType();
  const name = request.getName();
  const inputs = request.getObject() ?? new structs.Struct();
  const properties = plain(inputs.toJavaScript()) as Properties;
  const made = request.getCustom() ? madeUp(type, name, properties, stack.account) : {};
  const fields = inputs.getFieldsMap();
  for (const [key, value] of Object.entries(made)) {
    if (key !== "id" && !fields.has(key)) fields.set(key, structs.Value.fromJavaScript(value));
  }
  const urn = urnOf(request, stack);
  const response = new resources.RegisterResourceResponse();
  response.setUrn(urn);
  response.setId(made.id ?? "");
  response.setObject(inputs);
  const names = namesOf(made.id, made, properties);
  return { registered: { urn, type, name, properties, names }, response };
}

/** As the engine forms it: the types of all ancestors but the stack, then its own. */
function urnOf(request: Request, { project, name }: RehearsedStack): string {
  const parents = request.getParent().split("::")[2] ?? "";
  const type = parents === "" ? request.getType() : `${parents}$${request.getType()}`;
  return `urn:pulumi:${name}::${project}::${type}::${request.getName()}`;
}

/** What AWS makes up for a new resource, in its form, as far as programs build references from it. */
function madeUp(
  type: string,
  name: string,
  properties: Properties,
  { accountId, region }: RehearsedStack["account"],
): Readonly<Record<string, string>> {
  const [service = "", kind = ""] = (type.split(":")[1] ?? "").split("/");
  const physical = [properties.bucket, properties.name].find((value) => typeof value === "string") ?? name;
  const inService = (namespace: string, resource: string, where = region) =>
    `arn:aws:${namespace}:${where}:${accountId}:${resource}`;
  switch (`${service}/${kind}`) {
    case "s3/bucket":
      return { id: String(physical), arn: `arn:aws:s3:::${physical}` };
    case "sns/topic":
      return { id: inService("sns", `${physical}`), arn: inService("sns", `${physical}`) };
    case "sqs/queue": {
      const url = `https://sqs.${region}.amazonaws.com/${accountId}/${physical}`;
      return { id: url, url, arn: inService("sqs", `${physical}`) };
    }
    case "iam/role":
      return {
        id: String(physical),
        arn: inService("iam", `role${properties.path ?? "/"}${physical}`, ""),
      };
    case "iam/policy": {
      const arn = inService("iam", `policy${properties.path ?? "/"}${physical}`, "");
      return { id: arn, arn };
    }
    case "cloudwatch/logGroup":
      return { id: String(physical), arn: inService("logs", `log-group:${physical}`) };
    case "cloudwatch/metricAlarm":
    case "cloudwatch/compositeAlarm":
      return { id: String(physical), arn: inService("cloudwatch", `alarm:${physical}`) };
    case "lambda/function":
      return { id: String(physical), arn: inService("lambda", `function:${physical}`) };
    case "ecr/repository":
      return {
        id: String(physical),
        arn: inService("ecr", `repository/${physical}`),
        repositoryUrl: `${accountId}.dkr.ecr.${region}.amazonaws.com/${physical}`,
      };
    case "kms/key":
    case "kms/replicaKey":
      return { id: `${name}-id`, keyId: `${name}-id`, arn: inService("kms", `key/${name}-id`) };
    default:
      return { id: `${name}-id`, arn: inService(service, `${kind}/${physical}`) };
  }
}

/** What programs ask of AWS before they register anything. */
function answerTo(token: string, { accountId, region }: RehearsedStack["account"]): Record<string, unknown> {
  switch (token) {
    case "aws:index/getAvailabilityZones:getAvailabilityZones": {
      const letters = ["a", "b", "c"];
      return {
        id: region,
        names: letters.map((letter) => region + letter),
        zoneIds: letters.map((letter) => `az-${letter}`),
      };
    }
    case "aws:index/getCallerIdentity:getCallerIdentity":
      return { id: accountId, accountId, arn: `arn:aws:iam::${accountId}:root`, userId: accountId };
    case "aws:index/getRegion:getRegion":
      return { id: region, name: region, region };
    case "aws:lakeformation/getDataLakeSettings:getDataLakeSettings": {
      const lists = [
        "admins",
        "readOnlyAdmins",
        "createDatabaseDefaultPermissions",
        "createTableDefaultPermissions",
      ];
      const others = [
        "trustedResourceOwners",
        "externalDataFilteringAllowLists",
        "authorizedSessionTagValueLists",
      ];
      const empty = Object.fromEntries([...lists, ...others].map((name) => [name, []]));
      const flags = { allowExternalDataFiltering: false, allowFullTableExternalDataAccess: false };
      return { id: accountId, parameters: {}, ...flags, ...empty };
    }
    case "aws:index/getPartition:getPartition":
      return { id: "aws", partition: "aws", dnsSuffix: "amazonaws.com" };
    default: {
      // The SDK takes a text for an engine's error from nowhere else.
      const details = `A rehearsal has no answer of the function ${token}`;
      throw Object.assign(new Error(details), { details });
    }
  }
}

/** Values as policies read them: secrets in plain text, references to resources by id, and `notYetKnown` for what isn't known. */
function plain(value: unknown): unknown {
  if (value === unknownText) return notYetKnown;
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== "object" || value === null) return value;
  const bag = value as Properties;
  if (bag[signature] === secretSignature) return plain(bag.value);
  if (bag[signature] === resourceSignature) return plain(bag.id);
  return Object.fromEntries(Object.entries(bag).map(([key, item]) => [key, plain(item)]));
}
