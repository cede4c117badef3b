import { createHash } from "node:crypto";
import {
  GetAutomationExecutionCommand,
  SSMClient,
  StartAutomationExecutionCommand,
} from "@aws-sdk/client-ssm";
import { awsClient } from "../runtime/aws.ts";
import type { Environment } from "../runtime/environment.ts";

/** A runbook ended otherwise than it should, or not in time. */
export class RunbookFailed extends Error {
  override readonly name = "RunbookFailed";
}

export interface RunbookStart {
  readonly document: string;
  readonly parameter: { readonly name: string; readonly value: string };
  /** The same reason starts the same execution once. */
  readonly reason: string;
}

const POLL_MS = 2_000;
const MOST_POLLS = 45;

const UNDER_WAY = new Set(["Pending", "InProgress", "Waiting"]);

/** A UUID that follows from the reason: the form that Systems Manager wants of a token. */
function tokenOf(reason: string): string {
  const hex = createHash("sha256").update(reason).digest("hex").slice(0, 32);
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

/** Starts runbooks and waits for their end, 90 seconds at most. Returns the execution's id; throws `RunbookFailed`. */
export function runbookRunner(
  env: Environment,
  wait: (ms: number) => Promise<unknown>,
): (start: RunbookStart) => Promise<string> {
  const ssm = awsClient(SSMClient, env);
  return async ({ document, parameter, reason }) => {
    const { AutomationExecutionId: id = "" } = await ssm.send(
      new StartAutomationExecutionCommand({
        DocumentName: document,
        Parameters: { [parameter.name]: [parameter.value] },
        ClientToken: tokenOf(reason),
      }),
    );
    for (let poll = 0; poll < MOST_POLLS; poll++) {
      const { AutomationExecution } = await ssm.send(
        new GetAutomationExecutionCommand({ AutomationExecutionId: id }),
      );
      const status = AutomationExecution?.AutomationExecutionStatus ?? "";
      if (status === "Success") return id;
      if (!UNDER_WAY.has(status))
        throw new RunbookFailed(`Execution ${id} of ${document} ended as ${status}`);
      await wait(POLL_MS);
    }
    throw new RunbookFailed(`Execution ${id} of ${document} has not ended yet`);
  };
}
