import { beforeAll, describe, expect, it, vi } from "vitest";
import { DATA_BUCKETS, pipelineNames } from "../../programs/names.ts";
import { pipelineProgram } from "../../programs/pipeline.ts";
import type { Statement } from "../../programs/policy-document.ts";
import { ACCOUNT, anInput, aSpec, PRODUCTION_FOUNDATION } from "./support/inputs.ts";
import { awsResources, ofType, type Run, resource, runProgram } from "./support/run-program.ts";

// Each run of a whole production pipeline takes a while on a busy machine.
vi.setConfig({ testTimeout: 30_000, hookTimeout: 30_000 });

const names = pipelineNames({ account: ACCOUNT, team: "fraud", pipeline: "churn" });

const SPEC = aSpec({
  profile: "production",
  dataset: { replicaRegion: "eu-central-1" },
  alerts: { emails: ["ada@example.com"] },
});

const statements = (document: unknown) =>
  (JSON.parse(String(document)) as { readonly Statement: readonly Statement[] }).Statement;

const grants = (run: Run, role: string) =>
  statements(resource(run, "iam/rolePolicy:RolePolicy", `${role}-role-policy`).inputs.policy);

let production: Run;
beforeAll(async () => {
  production = await runProgram(pipelineProgram(anInput({ spec: SPEC, foundation: PRODUCTION_FOUNDATION })));
});

describe("incident response", () => {
  it("hands threats, findings, critical alarms and tampering to the responder's topic, through a role", () => {
    const targets = ofType(production, "cloudwatch/eventTarget:EventTarget").filter(
      ({ inputs }) => inputs.arn === "arn:aws:test:::incidents",
    );
    expect(targets.map(({ inputs }) => inputs.rule).toSorted()).toEqual(
      ["critical-alarm", "finding", "guard-tampering", "key-tampering", "threat"].map(names.named),
    );
    for (const { inputs } of targets) {
      expect(inputs).toMatchObject({
        roleArn: "arn:aws:test:::incidents-role",
        deadLetterConfig: { arn: "arn:aws:test:::dead-letters" },
      });
    }
  });

  it("hears only what is about this pipeline", () => {
    const pattern = (rule: string) =>
      String(resource(production, "cloudwatch/eventRule:EventRule", rule).inputs.eventPattern);
    for (const rule of ["threat", "finding", "critical-alarm"]) {
      expect(JSON.parse(pattern(rule))).toHaveProperty("detail");
      expect(pattern(rule)).toContain(names.prefix);
    }
    expect(JSON.parse(pattern("critical-alarm")).detail).toEqual({
      alarmName: expect.arrayContaining([names.named("run-failed"), names.named("model-degraded")]),
      state: { value: ["ALARM"] },
    });
  });

  it("calls the responder by its topic alone, and keeps what it did not take", () => {
    expect(resource(production, "lambda/permission:Permission", "incidents-permission").inputs).toMatchObject(
      {
        principal: "sns.amazonaws.com",
        sourceArn: "arn:aws:test:::incidents",
      },
    );
    const { inputs } = resource(production, "sns/topicSubscription:TopicSubscription", "incidents-responder");
    expect(inputs).toMatchObject({ protocol: "lambda", endpoint: "arn:aws:test:::respond" });
    expect(JSON.parse(String(inputs.redrivePolicy))).toEqual({
      deadLetterTargetArn: "arn:aws:test:::dead-letters",
    });
    const queue = resource(production, "sqs/queuePolicy:QueuePolicy", "dead-letters-policy").inputs.policy;
    expect(String(queue)).toContain(`:${names.named("incidents")}"`);
  });

  it("leaves the responder without rights over identities and functions: it starts runbooks", () => {
    const actions = grants(production, "respond").flatMap(({ Action }) => Action);
    expect(actions.filter((action) => /^(iam|lambda|sagemaker):/.test(action))).toEqual(["iam:PassRole"]);
    expect(actions).toContain("ssm:StartAutomationExecution");
  });

  it("lets the runbooks attach the one policy that denies everything, and stop functions", () => {
    expect(grants(production, "containment")).toEqual([
      expect.objectContaining({
        Action: "iam:AttachRolePolicy",
        Resource: `arn:aws:iam::111122223333:role/aidlc/${names.prefix}-*`,
        Condition: {
          ArnEquals: {
            "iam:PolicyARN": `arn:aws:iam::111122223333:policy/aidlc/${names.named("cut-off")}`,
          },
        },
      }),
      expect.objectContaining({ Action: "lambda:PutFunctionConcurrency" }),
    ]);
    expect(statements(resource(production, "iam/policy:Policy", "cut-off").inputs.policy)).toEqual([
      { Sid: "CutOff", Effect: "Deny", Action: "*", Resource: "*" },
    ]);
  });

  it.each([
    ["revoke-runbook", "RoleName", "AttachRolePolicy"],
    ["disable-runbook", "FunctionName", "PutFunctionConcurrency"],
  ])("%s takes names of this pipeline only", (name, parameter, api) => {
    const document = JSON.parse(String(resource(production, "ssm/document:Document", name).inputs.content));
    expect(document).toMatchObject({
      schemaVersion: "0.3",
      assumeRole: "arn:aws:test:::containment-role",
      mainSteps: [{ action: "aws:executeAwsApi", inputs: { Api: api } }],
    });
    const allowed = new RegExp(document.parameters[parameter].allowedPattern);
    expect(allowed.test(names.named("gate"))).toBe(true);
    expect(allowed.test("aidlc-other-pipeline-aaaaaaaa-gate")).toBe(false);
  });

  it("records what it did for a year at least", () => {
    expect(resource(production, "cloudwatch/logGroup:LogGroup", "incidents-logs").inputs).toMatchObject({
      name: names.logGroup("incidents"),
      kmsKeyId: "arn:aws:test:::logs-key",
      retentionInDays: 365,
    });
  });

  it("keeps everybody from an object that was set apart, and from taking its mark away", () => {
    for (const kind of DATA_BUCKETS) {
      const { policy } = resource(production, "s3/bucketPolicy:BucketPolicy", `${kind}-policy`).inputs;
      const denial = statements(policy).find(({ Sid }) => Sid === "DenyQuarantined");
      expect(denial?.Action).toEqual(expect.arrayContaining(["s3:GetObject", "s3:DeleteObjectTagging"]));
      expect(denial?.Condition?.StringEquals).toEqual({ "s3:ExistingObjectTag/aidlc:quarantined": "true" });
      expect(JSON.stringify(denial?.Condition?.ArnNotEquals)).toContain(names.named("respond"));
    }
  });

  it("is none in the profile learning", async () => {
    const learning = await runProgram(pipelineProgram(anInput()));
    const own = awsResources(learning).filter(({ typeChain }) =>
      typeChain.includes("aidlc:component:IncidentResponse"),
    );
    expect(own).toEqual([]);
  });
});

describe("rotation of the secret", () => {
  it("happens every quarter, by a function that Secrets Manager calls for this secret only", () => {
    const permission = resource(production, "lambda/permission:Permission", "secret-rotation-permission");
    expect(permission.inputs).toMatchObject({
      principal: "secretsmanager.amazonaws.com",
      sourceAccount: "111122223333",
      sourceArn: "arn:aws:test:::secret",
    });
    expect(
      resource(production, "secretsmanager/secretRotation:SecretRotation", "secret-rotation").inputs,
    ).toMatchObject({
      rotationLambdaArn: "arn:aws:test:::rotate-secret",
      rotationRules: { automaticallyAfterDays: 90 },
      rotateImmediately: false,
    });
  });

  it("may change this secret and no other", () => {
    const secrets = grants(production, "rotate-secret").filter(({ Action }) =>
      [Action].flat().includes("secretsmanager:PutSecretValue"),
    );
    expect(secrets.map(({ Resource }) => Resource)).toEqual([
      expect.stringMatching(/:secret:aidlc\/fraud\/churn/),
    ]);
  });
});
