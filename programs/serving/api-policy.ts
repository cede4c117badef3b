import type { PipelineSetting } from "../phases/pipeline-setting.ts";
import { policyDocument, type Statement } from "../policy-document.ts";
import { TAG } from "../tags.ts";

/**
 * Who may call. With `iam`: whoever of this account belongs to the team by tag and whose own IAM policy allows it; the root
 * principal only hands the decision to IAM. With `jwt`: everybody as far as the authorizer, which decides.
 */
export function apiPolicy({ arns, spec, team }: PipelineSetting, executionArn: string): string {
  const invoke = { Action: "execute-api:Invoke", Resource: `${executionArn}/*` } as const;
  const others: Statement = {
    Sid: "DenyOtherTeams",
    Effect: "Deny",
    Principal: "*",
    ...invoke,
    Condition: { StringNotEquals: { [`aws:PrincipalTag/${TAG.team}`]: team } },
  };
  return policyDocument(
    spec.serving.auth === "iam"
      ? [{ Sid: "Account", Effect: "Allow", Principal: { AWS: arns.root }, ...invoke }, others]
      : [
          {
            Sid: "Callers",
            Effect: "Allow",
            Principal: "*",
            ...invoke,
            Condition: { Bool: { "aws:SecureTransport": "true" } },
          },
        ],
  );
}
