import { describe, expect, it } from "vitest";
import { registryPolicy } from "../../../programs/delivery/registry-policy.ts";
import { pipelineSetting } from "../../../programs/phases/pipeline-setting.ts";
import { anInput } from "../support/inputs.ts";

const setting = pipelineSetting(anInput());
const { arns, names } = setting;
const policy = registryPolicy(setting);
const statement = (sid: string) => policy.find(({ Sid }) => Sid === sid);

describe("the policy of a model package group", () => {
  it("only denies: what is allowed is IAM's to say", () => {
    expect(new Set(policy.map(({ Effect }) => Effect))).toEqual(new Set(["Deny"]));
  });

  it("reaches this group and its versions, and nothing else", () => {
    const group = names.named("models");
    const own = [arns.sagemaker("model-package-group", group), arns.sagemaker("model-package", `${group}/*`)];
    for (const { Resource } of policy) expect(own).toEqual(expect.arrayContaining([Resource].flat()));
  });

  it("keeps other accounts out", () => {
    expect(statement("DenyOtherAccounts")?.Condition).toEqual({
      StringNotEquals: { "aws:PrincipalAccount": "111122223333" },
    });
  });

  it("lets the pipeline's orchestration register, and nobody else", () => {
    expect(statement("DenyRegistrationByOthers")).toMatchObject({
      Action: "sagemaker:CreateModelPackage",
      Condition: { ArnNotLike: { "aws:PrincipalArn": arns.role(names.named("orchestration")) } },
    });
  });

  it("lets no role of the pipeline approve, while one may reject", () => {
    expect(statement("DenyOwnApproval")).toMatchObject({
      Action: "sagemaker:UpdateModelPackage",
      Condition: {
        ArnLike: { "aws:PrincipalArn": arns.role(`${names.prefix}-*`) },
        StringEquals: { "sagemaker:ModelApprovalStatus": "Approved" },
      },
    });
  });
});
