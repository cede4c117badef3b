import { parseJson } from "../json-text.ts";
import { isMap, type PropertyValue, valuesAt } from "../values.ts";
import { find, type Intent, text, types } from "./intent.ts";

const role = "aws:iam/role:Role";
const policy = "aws:iam/policy:Policy";

/** What the usual managed policies of AWS allow; one that isn't listed may allow anything. */
const managed: Readonly<Record<string, RegExp>> = {
  AWSLambdaBasicExecutionRole: /^logs:/,
  AWSLambdaSQSQueueExecutionRole: /^(logs|sqs):/,
  AWSLambdaVPCAccessExecutionRole: /^(logs|ec2):/,
  AWSXRayDaemonWriteAccess: /^xray:/,
};

/**
 * Whether a role's policies, inline and attached, allow an action. Resources and conditions are not looked at: this is about a
 * policy that isn't there yet when AWS looks. Roles of other accounts and of AWS itself pass.
 */
export async function roleAllows(intent: Intent, arn: string, action: string): Promise<boolean> {
  const found = await intent.store.findAnywhere(role, intent.account, arn);
  if (!found) return true;
  const inline = valuesAt(found.outputs, ["inlinePolicies", "policy"]);
  const own = await find(intent, types.rolePolicy, "role", found.aws_id);
  const attachments = await find(intent, types.rolePolicyAttachment, "role", found.aws_id);
  const attached = [
    ...valuesAt(found.outputs, ["managedPolicyArns"]),
    ...attachments.map(({ outputs }) => outputs.policyArn),
  ];
  const documents = [...inline, ...own.map(({ outputs }) => outputs.policy)];
  for (const policyArn of attached.map(text)) {
    if (policyArn.includes(":iam::aws:")) {
      if (managed[policyArn.split("/").at(-1) ?? ""]?.test(action) ?? true) return true;
    } else {
      documents.push((await intent.store.findAnywhere(policy, intent.account, policyArn))?.outputs.policy);
    }
  }
  return documents.some((document) => allows(document, action));
}

function allows(document: PropertyValue | undefined, action: string): boolean {
  return valuesAt(parseJson(document), ["Statement"]).some(
    (statement) =>
      isMap(statement) &&
      statement.Effect === "Allow" &&
      valuesAt(statement.Action, []).some((pattern) => matches(text(pattern), action)),
  );
}

function matches(pattern: string, action: string): boolean {
  const source = pattern
    .split("*")
    .map((part) => part.replace(/[.+?^${}()|[\]\\]/g, "\\$&"))
    .join(".*");
  return new RegExp(`^${source}$`, "i").test(action);
}
