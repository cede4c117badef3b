import { beforeAll, describe, expect, it, vi } from "vitest";
import { FUNCTION_NAMES, FUNCTIONS } from "../../programs/functions/index.ts";
import { pipelineProgram } from "../../programs/pipeline.ts";
import type { Statement } from "../../programs/policy-document.ts";
import { SERVING_MODES } from "../../programs/spec/serving.ts";
import { anInput, aSpec, PRODUCTION_FOUNDATION, productionInput } from "./support/inputs.ts";
import { asList } from "./support/policy-documents.ts";
import { ofType, type Run, runProgram } from "./support/run-program.ts";

vi.setConfig({ testTimeout: 30_000, hookTimeout: 30_000 });

/** AWS documents no endpoint for MLflow apps: from private subnets, tracking is tried and not relied on. */
const WITHOUT_ENDPOINT = "sagemaker:CallMlflowAppApi";

/** What Lambda does itself on behalf of a function, from outside of its network. */
const DONE_BY_LAMBDA =
  /^(xray:|sqs:|ec2:|logs:CreateLogStream$|logs:DescribeLogStreams$|logs:PutLogEvents$|iam:PassRole$|kms:)/;

const allowed = (document: unknown): readonly string[] =>
  typeof document !== "string"
    ? []
    : (JSON.parse(document) as { readonly Statement: readonly Statement[] }).Statement.filter(
        ({ Effect }) => Effect === "Allow",
      ).flatMap(({ Action }) => asList(Action));

describe.each(SERVING_MODES)("functions in private subnets of mode %s", (mode) => {
  let run: Run;
  beforeAll(async () => {
    run = await runProgram(
      pipelineProgram(
        anInput({
          spec: aSpec({
            profile: "production",
            dataset: {
              replicaRegion: "eu-central-1",
              schema: [
                { name: "id", type: "string", nullable: false },
                { name: "at", type: "timestamp", nullable: false },
              ],
              featureStore: { recordIdentifier: "id", eventTime: "at" },
              validationImage: "111122223333.dkr.ecr.eu-west-1.amazonaws.com/aidlc-validation-job:1",
            },
            training: { retrainOn: ["drift"] },
            serving: productionInput(mode).spec.serving,
            notebook: {},
            network: { dedicated: true },
            alerts: { emails: ["ada@example.com"] },
          }),
          foundation: PRODUCTION_FOUNDATION,
        }),
      ),
    );
  });

  it("find every call that their roles allow let through by the network's endpoints", () => {
    const through = new Set(
      ofType(run, "ec2/vpcEndpoint:VpcEndpoint").flatMap(({ inputs }) => allowed(inputs.policy)),
    );
    const missing = FUNCTION_NAMES.filter((name) => FUNCTIONS[name].reachesInternet !== true).flatMap(
      (name) => {
        const policy = ofType(run, "iam/rolePolicy:RolePolicy").find(
          (each) => each.name === `${name}-role-policy`,
        );
        return allowed(policy?.inputs.policy)
          .filter(
            (action) => action !== WITHOUT_ENDPOINT && !DONE_BY_LAMBDA.test(action) && !through.has(action),
          )
          .map((action) => `${name} ${action}`);
      },
    );
    expect(missing).toEqual([]);
  });
});
