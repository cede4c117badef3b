import { beforeAll, describe, expect, it } from "vitest";
import { pipelineNames } from "../../../programs/names.ts";
import { pipelineProgram } from "../../../programs/pipeline.ts";
import { ROLES } from "../../../programs/roles/index.ts";
import { ACCOUNT, anInput } from "../support/inputs.ts";
import { ofType, type Run, resource, runProgram } from "../support/run-program.ts";

const names = pipelineNames({ account: ACCOUNT, team: "fraud", pipeline: "churn" });
const ERASE = `arn:aws:iam::111122223333:role/aidlc/${names.named("erase")}`;

interface Statement {
  readonly Sid: string;
  readonly Effect: string;
  readonly Action: string | readonly string[];
  readonly Condition: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

const statement = (policy: unknown, sid: string): Statement | undefined =>
  (JSON.parse(String(policy)) as { Statement: Statement[] }).Statement.find(({ Sid }) => Sid === sid);

describe("the secret", () => {
  let run: Run;
  beforeAll(async () => {
    run = await runProgram(pipelineProgram(anInput()));
  });

  it("gets no value from the program, which would stand in the state", () => {
    expect(ofType(run, "secretsmanager/secretVersion:SecretVersion")).toEqual([]);
    expect(resource(run, "secretsmanager/secret:Secret", "secret").inputs).toMatchObject({
      name: "aidlc/fraud/churn",
      kmsKeyId: "arn:aws:test:::data-key",
    });
  });

  it("opens its value to the roles that say so, whatever else IAM allows", () => {
    const { policy, blockPublicPolicy } = resource(
      run,
      "secretsmanager/secretPolicy:SecretPolicy",
      "secret-policy",
    ).inputs;
    expect(blockPublicPolicy).toBe(true);
    const denial = statement(policy, "DenyValueToOthers");
    expect(denial).toMatchObject({
      Effect: "Deny",
      Action: expect.arrayContaining(["secretsmanager:GetSecretValue"]),
    });
    const users = denial?.Condition.ArnNotLike?.["aws:PrincipalArn"];
    expect(users).toContain(ERASE);
    expect(users).not.toContain(ERASE.replace("-erase", "-validate"));
    expect(ROLES.erase.keyUses).toContain("secret");
  });

  it("can be opened with its key through Secrets Manager only", () => {
    const opening = statement(resource(run, "kms/key:Key", "data-key").inputs.policy, "SecretValue");
    expect(opening?.Condition).toMatchObject({
      StringEquals: { "kms:ViaService": "secretsmanager.eu-west-1.amazonaws.com" },
      StringLike: {
        "kms:EncryptionContext:SecretARN":
          "arn:aws:secretsmanager:eu-west-1:111122223333:secret:aidlc/fraud/churn-??????",
      },
    });
  });

  it("stays recoverable for a month, and goes at once where all data is to go", async () => {
    const days = (of: Run) =>
      resource(of, "secretsmanager/secret:Secret", "secret").inputs.recoveryWindowInDays;
    expect(days(run)).toBe(30);
    expect(days(await runProgram(pipelineProgram(anInput({ dataOnDestroy: "delete" }))))).toBe(0);
  });
});
