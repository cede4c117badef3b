import { beforeAll, describe, expect, it } from "vitest";
import { foundationProgram } from "../../programs/foundation.ts";
import type { PipelineInput } from "../../programs/inputs.ts";
import { pipelineNames } from "../../programs/names.ts";
import { pipelineProgram } from "../../programs/pipeline.ts";
import type { Statement } from "../../programs/policy-document.ts";
import { SERVING_MODES } from "../../programs/spec/serving.ts";
import { ACCOUNT, anInput, aSpec, productionInput } from "./support/inputs.ts";
import { asList, policyDocuments } from "./support/policy-documents.ts";
import { ofType, type Run, runProgram } from "./support/run-program.ts";

const names = pipelineNames({ account: ACCOUNT, team: "fraud", pipeline: "churn" });

const LEARNING = anInput({
  spec: aSpec({
    training: { schedule: "rate(1 day)", instanceCount: 2, algorithm: "xgboost", retrainOn: ["drift"] },
    notebook: { instanceType: "ml.t3.medium", volumeGb: 20, stopSchedule: "cron(0 20 * * ? *)" },
  }),
});

/** What each role of a run is granted, by the role's name in the program. */
function grantsOf(run: Run): ReadonlyMap<string, readonly Statement[]> {
  const documents = policyDocuments(run).filter(({ resource: { type } }) =>
    type.startsWith("aws:iam/rolePolicy:"),
  );
  return new Map(
    documents.map(({ resource: { name }, statements }) => [name.replace(/-role-policy$/, ""), statements]),
  );
}

/** Whether an IAM pattern reaches all that another one reaches. */
function covers(pattern: string, other: string): boolean {
  const escaped = pattern
    .replace(/[.+^${}()|[\]\\]/g, "\\$&")
    .replaceAll("*", ".*")
    .replaceAll("?", ".");
  return new RegExp(`^${escaped}$`, "i").test(other);
}

/** Mocks give every resource the same kind of ARN. */
const asOnAws = (arn: string) =>
  arn.replace(/^arn:aws:test:::(.*-key(?:-.*)?)$/, "arn:aws:kms:eu-west-1:111122223333:key/$1");

const allows = (statements: readonly Statement[], action: string, resource: string) =>
  statements.some(
    ({ Effect, Action, Resource }) =>
      Effect === "Allow" &&
      asList(Action).some((pattern) => covers(pattern, action)) &&
      asList(Resource).some((pattern) => covers(pattern, asOnAws(resource))),
  );

describe.each<readonly [string, () => PipelineInput]>([
  ["a learning pipeline", () => LEARNING],
  ...SERVING_MODES.map(
    (mode) => [`a production pipeline by ${mode}`, () => productionInput(mode, { released: true })] as const,
  ),
])("roles of %s", (_what, input) => {
  let run: Run;
  let grants: ReadonlyMap<string, readonly Statement[]>;
  beforeAll(async () => {
    run = await runProgram(pipelineProgram(input()));
    grants = grantsOf(run);
  });

  it("all have the account's boundary and the pipeline's path", () => {
    for (const { inputs } of ofType(run, "iam/role:Role")) {
      expect(inputs).toMatchObject({
        path: "/aidlc/",
        permissionsBoundary: "arn:aws:iam::111122223333:policy/aidlc/aidlc-boundary-eu-west-1",
      });
    }
  });

  it("may do nothing that the boundary forbids", async () => {
    const foundation = await runProgram(foundationProgram({ account: ACCOUNT }));
    const boundary = policyDocuments(foundation).find(({ resource: { name } }) => name === "boundary");
    const beyond = [...grants].flatMap(([role, statements]) =>
      statements
        .filter(({ Effect }) => Effect === "Allow")
        .flatMap(({ Action, Resource }) =>
          asList(Action).flatMap((action) =>
            asList(Resource).map((resource) => [role, action, resource] as const),
          ),
        )
        .filter(([, action, resource]) => !allows(boundary?.statements ?? [], action, resource)),
    );
    expect(beyond.map((each) => each.join(" "))).toEqual([]);
  });

  it("hand only roles of this pipeline on, each to a named service", () => {
    for (const [role, statements] of grants) {
      for (const { Action, Resource, Condition } of statements) {
        if (!asList(Action).includes("iam:PassRole")) continue;
        expect(Condition?.StringEquals, role).toHaveProperty("iam:PassedToService");
        for (const arn of asList(Resource)) expect(arn).toContain(`:role/aidlc/${names.prefix}-`);
      }
    }
  });

  it("reach no bucket, table, key or secret of anybody else", () => {
    for (const [role, statements] of grants) {
      for (const { Effect, Action, Resource } of statements) {
        const onData = asList(Action).some((action) =>
          /^(s3:.*Object|secretsmanager:GetSecretValue|kms:Decrypt)/.test(action),
        );
        if (Effect === "Allow" && onData) expect(asList(Resource), role).not.toContain("*");
      }
    }
  });

  it("change no protection of data", () => {
    const changing = [...grants].filter(([, statements]) =>
      statements.some(
        ({ Effect, Action }) =>
          Effect === "Allow" &&
          asList(Action).some((action) =>
            /^s3:(Put|Delete)Bucket(?!Notification)|^kms:(Put|Schedule|Disable)/.test(action),
          ),
      ),
    );
    expect(changing.map(([role]) => role)).toEqual([]);
  });

  it("delete data only where that is what they are for", () => {
    const deleting = [...grants]
      .filter(([, statements]) =>
        statements.some(
          ({ Effect, Action }) =>
            Effect === "Allow" && asList(Action).some((action) => action.startsWith("s3:DeleteObject")),
        ),
      )
      .map(([role]) => role)
      .sort();
    expect(deleting).toMatchSnapshot();
  });
});

describe("the roles of a learning pipeline", () => {
  let grants: ReadonlyMap<string, readonly Statement[]>;
  beforeAll(async () => {
    grants = grantsOf(await runProgram(pipelineProgram(LEARNING)));
  });

  /** Buckets on whose objects the role may do this. */
  const bucketsFor = (role: string, action: string) =>
    new Set(
      (grants.get(role) ?? [])
        .filter(({ Effect, Action }) => Effect === "Allow" && asList(Action).includes(action))
        .flatMap(({ Resource }) => asList(Resource))
        .map((arn) => /^arn:aws:s3:::aidlc-([a-z]+)-/.exec(arn)?.[1])
        .filter((kind) => kind !== undefined),
    );

  it.each([
    ["processing", ["validated", "features", "models"], ["features", "models"]],
    ["training", ["validated", "features", "models"], ["models"]],
    ["orchestration", ["models"], []],
    ["inference", ["models"], []],
    ["alerts", [], []],
    ["schedule", [], []],
  ])("%s reads %j and writes %j", (role, reads, writes) => {
    expect(bucketsFor(role, "s3:GetObject")).toEqual(new Set(reads));
    expect(bucketsFor(role, "s3:PutObject")).toEqual(new Set(writes));
  });

  it("validates by reading raw data and writing to validated or quarantine", () => {
    expect(bucketsFor("validate", "s3:GetObjectVersion")).toEqual(
      new Set(["raw", "validated", "quarantine"]),
    );
    // What arrived by its version only; its own documents, and the copies that it proves, as they are.
    expect(bucketsFor("validate", "s3:GetObject")).toEqual(new Set(["validated", "quarantine"]));
    expect(bucketsFor("validate", "s3:PutObject")).toEqual(new Set(["validated", "quarantine"]));
  });

  it("create only isolated jobs on the pipeline's own network", () => {
    const jobs = grants.get("orchestration")?.find(({ Sid }) => Sid === "CreateIsolatedJobs");
    for (const arn of asList(jobs?.Resource)) expect(arn).toContain(`/aidlc-${names.hash}-`);
    expect(jobs?.Condition).toMatchObject({
      Bool: { "sagemaker:NetworkIsolation": "true" },
      "ForAllValues:StringEquals": { "sagemaker:VpcSecurityGroupIds": ["jobs-id"] },
    });
  });

  it("register models for approval only", () => {
    const register = grants.get("orchestration")?.find(({ Sid }) => Sid === "RegisterModels");
    expect(register?.Condition).toEqual({
      StringEqualsIfExists: { "sagemaker:ModelApprovalStatus": "PendingManualApproval" },
    });
  });
});
