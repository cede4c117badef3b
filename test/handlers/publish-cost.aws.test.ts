import { BudgetsClient, CreateBudgetCommand } from "@aws-sdk/client-budgets";
import { afterAll, beforeAll, expect, inject, it, vi } from "vitest";
import { createHandler } from "../../handlers/publish-cost/handler.ts";
import { type AwsRecorder, recordAws } from "../support/aws-recorder.ts";
import { published } from "./support/a-monitor.ts";
import { expectExactGrants } from "./support/granted-calls.ts";
import { emulatorClient, type PipelineInAws, pipelineInAws } from "./support/pipeline-in-aws.ts";

let moto: AwsRecorder;
let pipeline: PipelineInAws;
/** What the budget counted: moto's counts nothing, whatever is spent. */
let spent: { readonly Amount: string; readonly Unit: string } | undefined;

beforeAll(async () => {
  pipeline = await pipelineInAws();
  const env = pipeline.environmentOf("publish-cost");
  await emulatorClient(BudgetsClient, env).send(
    new CreateBudgetCommand({
      AccountId: pipeline.setting.account.accountId,
      Budget: {
        BudgetName: pipeline.setting.names.prefix,
        BudgetType: "COST",
        TimeUnit: "MONTHLY",
        BudgetLimit: { Amount: "100.00", Unit: "USD" },
      },
    }),
  );
  moto = await recordAws(inject("awsUrl"), undefined, ({ target = "" }, body) => {
    if (!target.endsWith(".DescribeBudget") || spent === undefined) return body;
    const answer = JSON.parse(body);
    answer.Budget.CalculatedSpend.ActualSpend = spent;
    return JSON.stringify(answer);
  });
});
afterAll(() => moto.close());

async function publish() {
  const lines: string[] = [];
  const stdout = vi.spyOn(process.stdout, "write").mockImplementation((text) => lines.push(String(text)) > 0);
  try {
    const env = { ...pipeline.environmentOf("publish-cost"), AWS_ENDPOINT_URL: moto.url };
    return { answer: await createHandler(env)(), metrics: published(lines) };
  } finally {
    stdout.mockRestore();
  }
}

it("publishes what the pipeline's budget counted this month", async () => {
  spent = { Amount: "41.27", Unit: "USD" };
  expect(await publish()).toEqual({ answer: { state: "published", usd: 41.27 }, metrics: { Cost: 41.27 } });
});

it("publishes nothing while the budget counts nothing: its tags are not active yet", async () => {
  spent = undefined;
  expect(await publish()).toEqual({ answer: { state: "unknown" }, metrics: {} });
});

it("publishes nothing in another currency", async () => {
  spent = { Amount: "41.27", Unit: "CNY" };
  expect(await publish()).toEqual({ answer: { state: "unknown" }, metrics: {} });
});

expectExactGrants(() => pipeline.grantsOf("publish-cost"));
