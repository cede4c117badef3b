import { allow } from "../grants.ts";
import type { FunctionDefinition } from "./function-definition.ts";

/** The budget counts what the pipeline costs already; Cost Explorer would have to be opened for the whole account. */
export const publishCost: FunctionDefinition = {
  description: "Publishes what the pipeline cost this month, as its budget knows it",
  memoryMb: 256,
  timeoutSeconds: 60,
  environment: ({ account, names }) => ({ AIDLC_ACCOUNT: account.accountId, AIDLC_BUDGET: names.prefix }),
  // Budgets are asked in one region for all, to which no network of ours has an endpoint.
  reachesInternet: true,
  keyUses: [],
  grants: ({ setting: { arns, names } }) => [
    allow({ Sid: "ReadBudget", Action: "budgets:ViewBudget", Resource: arns.budget(names.prefix) }),
  ],
};
