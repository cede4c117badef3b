import {
  conditionOn,
  DOCUMENTS,
  isAllow,
  namesItsSource,
  RESOURCE_POLICIES,
  statementsIn,
  statementsOf,
  TRUST_POLICIES,
  where,
} from "./documents.ts";
import { ALWAYS, each, IN_PRODUCTION, type Policy } from "./policy.ts";
import { list, missing, text, texts } from "./values.ts";

// They document no source keys for assuming a role, which is bound to the function, application or account that names it.
const WITHOUT_SOURCE = [
  "lambda.amazonaws.com",
  "edgelambda.amazonaws.com",
  "codedeploy.amazonaws.com",
  "apigateway.amazonaws.com",
];

const USE_OF_A_KEY = /^kms:(Decrypt|Encrypt|GenerateDataKey|ReEncrypt|Sign|CreateGrant|\*)/;
const ADMINISTRATION_OF_A_KEY = /^kms:(Put|Delete|Schedule|Disable|Update|\*)/;
const BROAD_MANAGED = /:policy\/(AdministratorAccess|PowerUserAccess|IAMFullAccess|\w+FullAccess)$/;

const KEY = "aws:kms/key:Key";

function isSymmetric(spec: unknown): boolean {
  return spec === undefined || spec === "SYMMETRIC_DEFAULT";
}

export const accessPolicies: readonly Policy[] = [
  {
    id: "kms-key-rotation-enabled",
    title: "Every symmetric customer key rotates",
    text: "A key that never changes lets one leak open everything that was ever encrypted with it. KMS can't rotate asymmetric keys.",
    phase: "infrastructure",
    severity: "medium",
    levels: ALWAYS,
    controls: {
      config: ["cmk-backing-key-rotation-enabled"],
      fsbp: ["KMS.4"],
      cis: ["3.6"],
      nist: ["SC-12", "SC-28(3)"],
    },
    remedy: "Set enableKeyRotation on the key",
    check: each(
      [KEY],
      ({ properties: bag }) => isSymmetric(bag.customerMasterKeySpec) && bag.enableKeyRotation !== true,
    ),
  },
  {
    id: "kms-administration-separated-from-use",
    title: "Whoever administers a key can't use it by the same statement",
    text: "An administrator who can also decrypt needs nobody else to read the data; a use with a condition is bound to a service, a role or a resource.",
    phase: "infrastructure",
    severity: "high",
    levels: ALWAYS,
    controls: { nist: ["AC-5", "AC-6", "SC-12"] },
    remedy: "Split the statement: administration without cryptographic actions, use with conditions",
    check: each([KEY, "aws:kms/replicaKey:ReplicaKey"], (key) =>
      statementsIn(key, RESOURCE_POLICIES)
        .filter(isAllow)
        .filter(({ actions }) => {
          const administers = actions.some((action) => ADMINISTRATION_OF_A_KEY.test(action));
          return administers && actions.some((action) => USE_OF_A_KEY.test(action));
        })
        .map((statement) => `In ${where(statement)} of its policy`),
    ),
  },
  {
    id: "iam-role-has-permissions-boundary",
    title: "Every role has the account's permissions boundary",
    text: "The boundary is the ceiling over everything a pipeline's role can ever be given, by mistake or by malice.",
    phase: "infrastructure",
    severity: "high",
    levels: ALWAYS,
    controls: { nist: ["AC-6", "AC-6(1)"] },
    remedy: "Set permissionsBoundary to the ARN that the foundation hands out",
    check: (stack) =>
      // The foundation's own roles serve AWS services for the whole account; it is what makes the boundary.
      stack.program === "foundation"
        ? []
        : each(["aws:iam/role:Role"], ({ properties: bag }) => missing(bag.permissionsBoundary))(stack),
  },
  {
    id: "iam-no-wildcard-action-on-wildcard-resource",
    title: "No policy allows a wildcard of actions on every resource",
    text: "Such a statement is administration of a whole service, and grows with every action AWS adds.",
    phase: "infrastructure",
    severity: "critical",
    levels: ALWAYS,
    controls: {
      config: ["iam-policy-no-statements-with-full-access", "iam-policy-no-statements-with-admin-access"],
      fsbp: ["IAM.1", "IAM.21"],
      cis: ["1.16"],
      nist: ["AC-6"],
    },
    remedy: "List the actions, or name the resources",
    check: each(Object.keys(DOCUMENTS), (policy) =>
      statementsIn(policy, DOCUMENTS)
        .filter(
          ({ effect, actions, resources }) =>
            effect === "Allow" &&
            resources.includes("*") &&
            actions.some((action) => action === "*" || action.endsWith(":*")),
        )
        .map((statement) => `In ${where(statement)}`),
    ),
  },
  {
    id: "iam-no-broad-managed-policies",
    title: "No role has an administrator's or a full-access policy",
    text: "Policies that AWS manages for people give a component far more than its work needs.",
    phase: "infrastructure",
    severity: "critical",
    levels: ALWAYS,
    controls: { fsbp: ["IAM.1"], cis: ["1.16"], nist: ["AC-6"] },
    remedy: "Give the role a policy of its own with the actions that it calls",
    check: each(
      ["aws:iam/role:Role", "aws:iam/rolePolicyAttachment:RolePolicyAttachment"],
      ({ properties: { managedPolicyArns, policyArn } }) =>
        [...texts(managedPolicyArns), ...texts(policyArn)]
          .filter((arn) => BROAD_MANAGED.test(arn))
          .map((arn) => `It has ${arn}`),
    ),
  },
  {
    id: "iam-no-long-lived-credentials",
    title: "No users and no access keys",
    text: "A key that doesn't expire is found sooner or later; roles give credentials that do.",
    phase: "infrastructure",
    severity: "critical",
    levels: ALWAYS,
    controls: { config: ["iam-user-unused-credentials-check"], nist: ["IA-5", "AC-2"] },
    remedy: "Let the component assume a role",
    check: each(["aws:iam/accessKey:AccessKey", "aws:iam/user:User"], () => true),
  },
  {
    id: "iam-confused-deputy-prevented",
    title: "A service acts on our resources only for our own",
    text: "A service that anybody can use would otherwise act with our rights for somebody else's resource.",
    phase: "infrastructure",
    severity: "high",
    levels: ALWAYS,
    controls: { nist: ["AC-3", "AC-4"] },
    remedy: "Add a condition on aws:SourceAccount or aws:SourceArn",
    check: each([...Object.keys(TRUST_POLICIES), ...Object.keys(RESOURCE_POLICIES)], (resource) =>
      statementsIn(resource, { ...TRUST_POLICIES, ...RESOURCE_POLICIES })
        .filter((statement) => isAllow(statement) && !namesItsSource(statement))
        .flatMap((statement) =>
          statement.services
            .filter((service) => !WITHOUT_SOURCE.includes(service))
            .map((service) => `${service} in ${where(statement)}`),
        ),
    ),
  },
  {
    id: "iam-role-trusts-no-strangers",
    title: "Roles are assumed by services or named principals",
    text: "A role that everybody may assume, or a whole other account without a condition, belongs to the first who tries.",
    phase: "infrastructure",
    severity: "critical",
    levels: ALWAYS,
    controls: { nist: ["AC-3", "AC-6"] },
    remedy: "Name the service or the role in the trust policy, with an external id for other accounts",
    check: each(["aws:iam/role:Role"], ({ properties: bag }) =>
      statementsOf(bag.assumeRolePolicy)
        .filter(
          (statement) =>
            isAllow(statement) &&
            statement.conditions.length === 0 &&
            (statement.everybody || statement.principals.some((principal) => principal.endsWith(":root"))),
        )
        .map((statement) => `In ${where(statement)}`),
    ),
  },
  {
    id: "iam-pass-role-restricted",
    title: "Roles are passed by name and to one service",
    text: "Who may pass any role to any service can run code with the rights of the strongest one.",
    phase: "infrastructure",
    severity: "high",
    levels: ALWAYS,
    controls: { nist: ["AC-6", "AC-6(10)"] },
    remedy: "Name the roles in iam:PassRole and add a condition on iam:PassedToService",
    check: each(Object.keys(DOCUMENTS), (policy) =>
      statementsIn(policy, DOCUMENTS)
        .filter((statement) => isAllow(statement) && statement.actions.includes("iam:PassRole"))
        .filter(
          (statement) =>
            statement.resources.includes("*") || conditionOn(statement, "iam:PassedToService") === undefined,
        )
        .map((statement) => `In ${where(statement)}`),
    ),
  },
  {
    id: "secretsmanager-customer-key",
    title: "Every secret is encrypted with a customer managed key",
    text: "Only then does reading a secret need a right on a key that this pipeline governs.",
    phase: "infrastructure",
    severity: "high",
    levels: ALWAYS,
    controls: { config: ["secretsmanager-using-cmk"], nist: ["SC-28", "SC-12"] },
    remedy: "Set kmsKeyId on the secret",
    check: each(["aws:secretsmanager/secret:Secret"], ({ properties: bag }) => missing(bag.kmsKeyId)),
  },
  {
    id: "secretsmanager-rotation-enabled",
    title: "Every secret rotates",
    text: "A secret that is renewed by itself is worth little to whoever finds it later.",
    phase: "infrastructure",
    severity: "medium",
    levels: IN_PRODUCTION,
    controls: {
      config: ["secretsmanager-rotation-enabled-check"],
      fsbp: ["SecretsManager.1"],
      nist: ["IA-5(1)"],
    },
    remedy: "Give the secret a SecretRotation with a function and a schedule",
    check: each(
      ["aws:secretsmanager/secret:Secret"],
      (secret, stack) =>
        stack.referring("aws:secretsmanager/secretRotation:SecretRotation", "secretId", secret).length === 0,
    ),
  },
  {
    id: "lambda-permission-names-its-source",
    title: "Whoever may invoke a function is bound to a source of ours",
    text: "A service principal without a source lets anybody's bucket, topic or API invoke the function.",
    phase: "infrastructure",
    severity: "high",
    levels: ALWAYS,
    controls: {
      config: ["lambda-function-public-access-prohibited"],
      fsbp: ["Lambda.1"],
      nist: ["AC-3", "AC-4"],
    },
    remedy: "Set sourceArn, and sourceAccount where the ARN carries none, on the permission",
    check: each(["aws:lambda/permission:Permission"], ({ properties: bag }) => {
      if (bag.principal === "*") return "It lets everybody invoke the function";
      if (!text(bag.principal)?.endsWith(".amazonaws.com")) return undefined;
      return missing(bag.sourceArn) && missing(bag.sourceAccount) ? "It names no source" : undefined;
    }),
  },
  {
    id: "lakeformation-no-open-grants",
    title: "Lake Formation grants go to named principals",
    text: "A grant to IAMAllowedPrincipals hands a table to everybody whom IAM lets near it.",
    phase: "infrastructure",
    severity: "high",
    levels: ALWAYS,
    controls: { nist: ["AC-3", "AC-6"] },
    remedy: "Grant to the ARN of a role, and no more than it needs",
    check: each(
      ["aws:lakeformation/permissions:Permissions"],
      ({ properties: bag }) =>
        bag.principal === "IAM_ALLOWED_PRINCIPALS" || list(bag.permissions).includes("ALL"),
    ),
  },
];
