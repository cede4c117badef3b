import { DOCUMENTS, RESOURCE_POLICIES, TRUST_POLICIES } from "../../programs/policies/documents.ts";
import type { PlannedResource, Properties } from "./plan.ts";
import { allowsMore, denies } from "./policy-coverage.ts";
import { unknownText } from "./unknown.ts";

/** Documents of identities: what is new in one allows more than before. */
const identityPolicies: Readonly<Record<string, string>> = { ...DOCUMENTS, ...TRUST_POLICIES };

/** Documents that guard something else: none on something new takes a protection away. */
const guards: Readonly<Record<string, string>> = {
  ...RESOURCE_POLICIES,
  "aws:dynamodb/resourcePolicy:ResourcePolicy": "policy",
  "aws:glue/resourcePolicy:ResourcePolicy": "policy",
  "aws:ecr/registryPolicy:RegistryPolicy": "policy",
  "aws:apigateway/restApiPolicy:RestApiPolicy": "policy",
  "aws:ec2/vpcEndpoint:VpcEndpoint": "policy",
  "aws:ec2/vpcEndpointPolicy:VpcEndpointPolicy": "policy",
  "aws:cloudwatch/logResourcePolicy:LogResourcePolicy": "policyDocument",
  "aws:xray/resourcePolicy:ResourcePolicy": "policyDocument",
};

/** Guards that are a property of what they guard. */
const inline: ReadonlySet<string> = new Set([
  "aws:kms/key:Key",
  "aws:kms/replicaKey:ReplicaKey",
  "aws:ec2/vpcEndpoint:VpcEndpoint",
]);

/** Each is a permission of its own. */
const permissions: ReadonlySet<string> = new Set([
  "aws:iam/rolePolicyAttachment:RolePolicyAttachment",
  "aws:iam/openIdConnectProvider:OpenIdConnectProvider",
  "aws:kms/grant:Grant",
  "aws:lakeformation/permissions:Permissions",
  "aws:lambda/permission:Permission",
  "aws:signer/signingProfilePermission:SigningProfilePermission",
]);

/** Resources by whose change somebody may do more than before, as far as their documents tell. Errs to "more". */
export function wideningResources(plan: readonly PlannedResource[]): PlannedResource[] {
  const made = namesOf(plan, ({ before, after }) => before === undefined && after !== undefined);
  const gone = namesOf(plan, ({ after }) => after === undefined);
  return plan.filter((resource) => widens(resource, made, gone));
}

function widens(resource: PlannedResource, made: ReadonlySet<unknown>, gone: ReadonlySet<unknown>): boolean {
  const { type, before, after } = resource;
  if (permissions.has(type)) return after !== undefined;
  const identity = identityPolicies[type];
  if (identity !== undefined) {
    return (
      after !== undefined && (allowsMore(before?.[identity], after[identity]) || roleWidens(before, after))
    );
  }
  const guard = guards[type];
  if (guard === undefined) return false;
  if (after === undefined) return !inline.has(type) && !names(before, gone) && denies(before?.[guard]);
  if (before === undefined && (inline.has(type) || names(after, made))) return false;
  return allowsMore(before?.[guard], after[guard]);
}

/** What a role may do besides its documents: its ceiling and what is attached to it. */
function roleWidens(before: Properties | undefined, after: Properties): boolean {
  if (before === undefined) return false;
  return ["permissionsBoundary", "managedPolicyArns", "inlinePolicies"].some(
    (property) => JSON.stringify(before[property]) !== JSON.stringify(after[property]),
  );
}

// What a guard calls what it guards by.
const references = [
  "bucket",
  "arn",
  "topicArn",
  "queueUrl",
  "repository",
  "secretArn",
  "keyId",
  "modelPackageGroupName",
  "backupVaultName",
  "eventBusName",
  "restApiId",
  "vpcEndpointId",
  "resourceArn",
] as const;
const ownNames = ["name", "bucket", "modelPackageGroupName"] as const;

function namesOf(
  plan: readonly PlannedResource[],
  which: (resource: PlannedResource) => boolean,
): ReadonlySet<unknown> {
  const found = plan
    .filter((resource) => guards[resource.type] === undefined && which(resource))
    .flatMap(({ awsId, before, after }) => [awsId, ...ownNames.map((name) => (after ?? before)?.[name])]);
  return new Set(found.filter((name) => name !== undefined));
}

function names(guard: Properties | undefined, resources: ReadonlySet<unknown>): boolean {
  return references.some((reference) => {
    const value = guard?.[reference];
    // What isn't known yet is new.
    return value === unknownText || (value !== undefined && resources.has(value));
  });
}
