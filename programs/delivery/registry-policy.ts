import type { PipelineSetting } from "../phases/pipeline-setting.ts";
import type { Statement } from "../policy-document.ts";

/**
 * What IAM policies of the account can't undo: only the pipeline's orchestration registers, no role of the pipeline approves or
 * deletes what it made, and no other account gets in. Who may approve is decided by IAM, outside of the pipeline.
 */
export function registryPolicy({ account, arns, names }: PipelineSetting): Statement[] {
  const group = arns.sagemaker("model-package-group", names.named("models"));
  const versions = arns.sagemaker("model-package", `${names.named("models")}/*`);
  const everybody = { Effect: "Deny", Principal: { AWS: "*" } } as const;
  const ownRoles = arns.role(`${names.prefix}-*`);
  return [
    {
      Sid: "DenyOtherAccounts",
      ...everybody,
      Action: [
        "sagemaker:CreateModelPackage",
        "sagemaker:DeleteModelPackage",
        "sagemaker:DescribeModelPackage",
        "sagemaker:DescribeModelPackageGroup",
        "sagemaker:ListModelPackages",
        "sagemaker:UpdateModelPackage",
      ],
      Resource: [group, versions],
      Condition: { StringNotEquals: { "aws:PrincipalAccount": account.accountId } },
    },
    {
      Sid: "DenyRegistrationByOthers",
      ...everybody,
      Action: "sagemaker:CreateModelPackage",
      Resource: [group, versions],
      Condition: { ArnNotLike: { "aws:PrincipalArn": arns.role(names.named("orchestration")) } },
    },
    {
      Sid: "DenyOwnApproval",
      ...everybody,
      Action: "sagemaker:UpdateModelPackage",
      Resource: versions,
      Condition: {
        ArnLike: { "aws:PrincipalArn": ownRoles },
        StringEquals: { "sagemaker:ModelApprovalStatus": "Approved" },
      },
    },
    {
      Sid: "DenyOwnDeletion",
      ...everybody,
      Action: "sagemaker:DeleteModelPackage",
      Resource: versions,
      Condition: { ArnLike: { "aws:PrincipalArn": ownRoles } },
    },
  ];
}
