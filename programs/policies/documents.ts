import type { StackResource } from "./stack.ts";
import { json, list, properties, texts } from "./values.ts";

/** A statement of an IAM policy document, its lists in one form. */
export interface PolicyStatement {
  readonly sid: string;
  readonly effect: string;
  readonly actions: readonly string[];
  readonly resources: readonly string[];
  readonly everybody: boolean;
  readonly services: readonly string[];
  readonly principals: readonly string[];
  /** Condition operators with their keys and values. */
  readonly conditions: readonly Condition[];
}

export interface Condition {
  readonly operator: string;
  readonly key: string;
  readonly values: readonly string[];
}

/** The property of each type that holds a policy document. */
export const DOCUMENTS: Readonly<Record<string, string>> = {
  "aws:iam/policy:Policy": "policy",
  "aws:iam/rolePolicy:RolePolicy": "policy",
  "aws:iam/userPolicy:UserPolicy": "policy",
  "aws:iam/groupPolicy:GroupPolicy": "policy",
};

/** Policies that hang on a resource and say who may do what with it. */
export const RESOURCE_POLICIES: Readonly<Record<string, string>> = {
  "aws:s3/bucketPolicy:BucketPolicy": "policy",
  "aws:kms/key:Key": "policy",
  "aws:kms/replicaKey:ReplicaKey": "policy",
  "aws:kms/keyPolicy:KeyPolicy": "policy",
  "aws:sns/topicPolicy:TopicPolicy": "policy",
  "aws:sqs/queuePolicy:QueuePolicy": "policy",
  "aws:ecr/repositoryPolicy:RepositoryPolicy": "policy",
  "aws:secretsmanager/secretPolicy:SecretPolicy": "policy",
  "aws:sagemaker/modelPackageGroupPolicy:ModelPackageGroupPolicy": "resourcePolicy",
  "aws:backup/vaultPolicy:VaultPolicy": "policy",
  "aws:cloudwatch/eventBusPolicy:EventBusPolicy": "policy",
};

/** Roles say in such a document who may assume them. */
export const TRUST_POLICIES: Readonly<Record<string, string>> = { "aws:iam/role:Role": "assumeRolePolicy" };

/** The statements in a resource's policy document; none while it isn't known. */
export function statementsIn(
  resource: StackResource,
  documents: Readonly<Record<string, string>>,
): readonly PolicyStatement[] {
  const property = documents[resource.type];
  return property === undefined ? [] : statementsOf(resource.properties[property]);
}

export function statementsOf(document: unknown): readonly PolicyStatement[] {
  const { Statement } = properties(json(document));
  return (Array.isArray(Statement) ? Statement : Statement === undefined ? [] : [Statement]).map(statement);
}

function statement(value: unknown): PolicyStatement {
  const { Sid, Effect, Action, Resource, Principal, Condition } = properties(value);
  const named = properties(Principal);
  const principals = [...texts(named.AWS), ...texts(named.Federated)];
  return {
    sid: String(Sid ?? ""),
    effect: String(Effect ?? ""),
    actions: texts(Action),
    resources: texts(Resource),
    everybody: Principal === "*" || principals.includes("*"),
    services: texts(named.Service),
    principals,
    conditions: Object.entries(properties(Condition)).flatMap(([operator, keys]) =>
      Object.entries(properties(keys)).map(([key, values]) => ({
        operator,
        key,
        values: texts(values).length > 0 ? texts(values) : list([values]).map(String),
      })),
    ),
  };
}

/** The condition on a key with this operator or one that ends like it (`BoolIfExists`, `ForAllValues:StringEquals`). */
export function conditionOn({ conditions }: PolicyStatement, key: string): Condition | undefined {
  return conditions.find((condition) => condition.key.toLowerCase() === key.toLowerCase());
}

/** A service acts for whom the source says; without one, anybody's resource could make it act on ours. */
export function namesItsSource({ conditions }: PolicyStatement): boolean {
  return conditions.some(({ key }) =>
    /^(aws:Source(Arn|Account|OrgID|OrgPaths)|aws:PrincipalOrgID|kms:EncryptionContext:.+)$/i.test(key),
  );
}

export const isAllow = ({ effect }: PolicyStatement): boolean => effect === "Allow";
export const isDeny = ({ effect }: PolicyStatement): boolean => effect === "Deny";
export const where = ({ sid }: PolicyStatement): string => (sid === "" ? "a statement" : `statement ${sid}`);
