import {
  GetRoleCommand,
  GetRolePolicyCommand,
  IAMClient,
  ListAttachedRolePoliciesCommand,
  ListRolePoliciesCommand,
} from "@aws-sdk/client-iam";
import { GetFunctionConfigurationCommand, GetPolicyCommand, LambdaClient } from "@aws-sdk/client-lambda";
import {
  DescribeSecretCommand,
  GetResourcePolicyCommand,
  SecretsManagerClient,
} from "@aws-sdk/client-secrets-manager";
import { FUNCTION_NAMES } from "../../programs/functions/index.ts";
import type { PipelineNames } from "../../programs/names.ts";
import { PIPELINE_ROLES } from "../../programs/roles/index.ts";
import { awsClient } from "../runtime/aws.ts";
import type { Environment } from "../runtime/environment.ts";
import type { Facts, FunctionFacts, RoleFacts } from "./facts.ts";
import { statementsOf } from "./policies.ts";
import { each, reading } from "./reading.ts";

/** The roles that exist: which a pipeline has depends on its spec. */
export async function readRoles(env: Environment, names: PipelineNames): Promise<RoleFacts[]> {
  const iam = awsClient(IAMClient, env);
  const roles = await each(PIPELINE_ROLES, (role) => readRole(iam, names.named(role)));
  return roles.filter(({ role }) => role.is !== "absent");
}

async function readRole(iam: IAMClient, name: string): Promise<RoleFacts> {
  const RoleName = { RoleName: name };
  const role = await reading(async () => {
    const { Role } = await iam.send(new GetRoleCommand(RoleName));
    return Role && { boundary: Role.PermissionsBoundary !== undefined };
  });
  if (role.is === "absent") return { name, role, policies: role, attached: role };
  return {
    name,
    role,
    policies: await reading(async () => {
      const documents: string[] = [];
      for (let Marker: string | undefined, isMore = true; isMore; ) {
        const page = await iam.send(new ListRolePoliciesCommand({ ...RoleName, Marker }));
        for (const PolicyName of page.PolicyNames ?? []) {
          const { PolicyDocument = "{}" } = await iam.send(
            new GetRolePolicyCommand({ ...RoleName, PolicyName }),
          );
          documents.push(decodeURIComponent(PolicyDocument));
        }
        isMore = page.IsTruncated === true;
        Marker = page.Marker;
      }
      return documents.flatMap(statementsOf);
    }),
    attached: await reading(async () => {
      const found: string[] = [];
      for (let Marker: string | undefined, isMore = true; isMore; ) {
        const page = await iam.send(new ListAttachedRolePoliciesCommand({ ...RoleName, Marker }));
        found.push(...(page.AttachedPolicies ?? []).map(({ PolicyArn = "" }) => PolicyArn));
        isMore = page.IsTruncated === true;
        Marker = page.Marker;
      }
      return found;
    }),
  };
}

/** The functions that exist. */
export async function readFunctions(env: Environment, names: PipelineNames): Promise<FunctionFacts[]> {
  const lambda = awsClient(LambdaClient, env);
  const functions = await each(FUNCTION_NAMES, async (kind): Promise<FunctionFacts> => {
    const name = names.named(kind);
    const FunctionName = { FunctionName: name };
    const configuration = await reading(async () => {
      const found = await lambda.send(new GetFunctionConfigurationCommand(FunctionName));
      return { state: found.State ?? "", deadLetters: found.DeadLetterConfig?.TargetArn !== undefined };
    });
    if (configuration.is === "absent") return { name, configuration, policy: configuration };
    return {
      name,
      configuration,
      policy: await reading(async () => {
        const { Policy } = await lambda.send(new GetPolicyCommand(FunctionName));
        return Policy === undefined ? undefined : statementsOf(Policy);
      }),
    };
  });
  return functions.filter(({ configuration }) => configuration.is !== "absent");
}

export async function readSecret(env: Environment, names: PipelineNames): Promise<Facts["secret"]> {
  const secrets = awsClient(SecretsManagerClient, env);
  const SecretId = { SecretId: names.secret };
  return {
    name: names.secret,
    described: await reading(async () => ({
      key: (await secrets.send(new DescribeSecretCommand(SecretId))).KmsKeyId,
    })),
    policy: await reading(async () => {
      const { ResourcePolicy } = await secrets.send(new GetResourcePolicyCommand(SecretId));
      return ResourcePolicy ? statementsOf(ResourcePolicy) : undefined;
    }),
  };
}
