import { beforeAll, describe, expect, it } from "vitest";
import { pipelineNames } from "../../../programs/names.ts";
import { pipelineProgram } from "../../../programs/pipeline.ts";
import { ACCOUNT, anInput } from "../support/inputs.ts";
import { asList, policyDocuments } from "../support/policy-documents.ts";
import { ofType, type Run, resource, runProgram } from "../support/run-program.ts";

const names = pipelineNames({ account: ACCOUNT, team: "fraud", pipeline: "churn" });
const ON_REGISTRATION = ["register-model", "sign-model", "evaluate-gate"];

describe("the model registry", () => {
  let run: Run;
  beforeAll(async () => {
    run = await runProgram(pipelineProgram(anInput()));
  });

  const grants = (role: string) =>
    policyDocuments(run).find(({ resource: { name } }) => name === `${role}-role-policy`)?.statements ?? [];
  const actionsOf = (role: string) => grants(role).flatMap(({ Action }) => asList(Action));

  it("records, signs and cross-checks each version when it is registered, and tells that it waits", () => {
    const pattern = JSON.parse(
      String(resource(run, "cloudwatch/eventRule:EventRule", "registered").inputs.eventPattern),
    );
    expect(pattern.detail).toEqual({
      ModelPackageGroupName: [names.named("models")],
      ModelApprovalStatus: ["PendingManualApproval"],
    });
    const targets = ofType(run, "cloudwatch/eventTarget:EventTarget").filter(({ name }) =>
      name.startsWith("registered-"),
    );
    // In no order: each is registered once its function's code is read.
    expect(Object.fromEntries(targets.map(({ inputs }) => [inputs.targetId, inputs.arn]))).toEqual(
      Object.fromEntries(ON_REGISTRATION.map((kind) => [kind, `arn:aws:test:::${kind}`])),
    );
    expect(ofType(run, "cloudwatch/eventRule:EventRule").map(({ name }) => name)).toContain(
      "approval-needed",
    );
  });

  it("keeps what could not be delivered, and lets only its rule in", () => {
    for (const kind of ON_REGISTRATION) {
      const target = resource(run, "cloudwatch/eventTarget:EventTarget", `registered-${kind}`);
      expect(target.inputs.deadLetterConfig).toEqual({ arn: "arn:aws:test:::dead-letters" });
      const permission = resource(run, "lambda/permission:Permission", `registered-may-invoke-${kind}`);
      expect(permission.inputs).toMatchObject({
        principal: "events.amazonaws.com",
        sourceArn: "arn:aws:test:::registered",
      });
    }
  });

  it("signs with a key that only signing may use and whose signatures only verification may check", () => {
    expect(actionsOf("sign-model")).toContain("kms:Sign");
    expect(actionsOf("sign-model")).not.toContain("kms:Verify");
    expect(actionsOf("verify-model")).toContain("kms:Verify");
    expect(actionsOf("verify-model")).not.toContain("kms:Sign");
    const roles = ofType(run, "iam/role:Role").map(({ name }) => name.replace(/-role$/, ""));
    expect(roles.filter((role) => actionsOf(role).includes("kms:Sign"))).toEqual(["sign-model"]);
  });

  it("has a signing key of a pair, which KMS does not rotate", () => {
    const { inputs } = resource(run, "kms/key:Key", "signing-key");
    expect(inputs).toMatchObject({ keyUsage: "SIGN_VERIFY", customerMasterKeySpec: "ECC_NIST_P256" });
    expect(inputs).not.toHaveProperty("enableKeyRotation");
    expect(resource(run, "kms/alias:Alias", "signing-key-alias").inputs.name).toBe(
      "alias/aidlc/fraud/churn/signing",
    );
  });

  it("separates administration of the signing key from its use", () => {
    const statements = policyDocuments(run).find(
      ({ resource: { name } }) => name === "signing-key",
    )?.statements;
    const [administration, ...use] = statements ?? [];
    expect(asList(administration?.Action).filter((action) => /Sign$|Verify/.test(action))).toEqual([]);
    expect(use.map(({ Action, Condition }) => [Action, Condition])).toEqual([
      [
        "kms:Sign",
        {
          ArnLike: {
            "aws:PrincipalArn": [`arn:aws:iam::111122223333:role/aidlc/${names.named("sign-model")}`],
          },
          StringEquals: { "kms:SigningAlgorithm": "ECDSA_SHA_256" },
        },
      ],
      [
        "kms:Verify",
        {
          ArnLike: {
            "aws:PrincipalArn": [`arn:aws:iam::111122223333:role/aidlc/${names.named("verify-model")}`],
          },
          StringEquals: { "kms:SigningAlgorithm": "ECDSA_SHA_256" },
        },
      ],
    ]);
  });

  it("lets the cross-check reject a version and never approve one", () => {
    const updating = ofType(run, "iam/role:Role").flatMap(({ name }) =>
      grants(name.replace(/-role$/, "")).filter(({ Action }) =>
        asList(Action).includes("sagemaker:UpdateModelPackage"),
      ),
    );
    expect(updating.map(({ Sid, Condition }) => [Sid, Condition])).toEqual([
      ["RejectModels", { StringEquals: { "sagemaker:ModelApprovalStatus": "Rejected" } }],
    ]);
  });

  it("retains its policy and its signing key with the models", () => {
    for (const [type, name] of [
      ["sagemaker/modelPackageGroupPolicy:ModelPackageGroupPolicy", "models-policy"],
      ["kms/key:Key", "signing-key"],
    ] as const) {
      expect(resource(run, type, name).retainOnDelete, name).toBe(true);
    }
  });
});
