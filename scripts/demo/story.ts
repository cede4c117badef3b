import { readFile } from "node:fs/promises";
import { parse } from "yaml";
import { Client } from "../service/client.ts";
import type { ServiceProcess } from "../service/service-process.ts";
import { changeSpec } from "./change.ts";
import { giveData } from "./data.ts";
import { meddle, repairDrift } from "./drift.ts";
import { type Printer, seconds } from "./printer.ts";
import { whileWaiting } from "./progress-view.ts";
import { provision, registerAccount, showOutputs, showStatus } from "./provisioning.ts";
import type { Stage, Summary } from "./stage.ts";
import { countRemains, proveEmpty, tearDown } from "./teardown.ts";

const specFile = new URL("../../examples/penguins.yaml", import.meta.url);

/**
 * Plays the product's main job from the first request to the last trace, through REST only. Fills `summary` as it goes and
 * throws at the first step that fails.
 */
export async function tell(options: {
  readonly printer: Printer;
  readonly summary: Summary;
  readonly service: ServiceProcess;
  readonly signal: AbortSignal;
  /** Told of the client as soon as there is one. */
  readonly onClient: (client: Client) => void;
}): Promise<void> {
  const { printer, summary, service, signal } = options;
  const startedAt = performance.now();
  const yaml = await readFile(specFile, "utf8");
  const { account } = parse(yaml) as { account: string };
  const url = await whileWaiting(printer, "the service starts … ", service.ready(signal));
  printer.done(
    `the service runs at ${url}, with its own PostgreSQL (${seconds(performance.now() - startedAt)})`,
  );
  const client = new Client({
    url,
    token: service.token,
    signal,
    onCall: (call) => printer.line(printer.style("dim", `→ ${call}`)),
  });
  options.onClient(client);
  const stage: Stage = { client, printer, summary };

  printer.heading(
    "1/7  A team and its AWS account",
    "The account gets its foundation once: network, audit trail, safe defaults. All of its pipelines share it.",
  );
  const foundation = await registerAccount(stage, account);

  printer.heading(
    "2/7  A pipeline from one YAML file",
    "examples/penguins.yaml says what the team wants; a preview says what that means on AWS; one PUT provisions it.",
  );
  await provision(stage, yaml);

  printer.heading("3/7  What the team works with", "Names for its jobs, and where everything stands.");
  await showOutputs(stage);
  await showStatus(stage);

  printer.heading(
    "4/7  Data comes in",
    "The penguins' own file, and a copy that somebody spoilt: the code that runs in AWS judges both, on this machine.",
  );
  await giveData(stage);

  printer.heading(
    "5/7  Somebody changes AWS by hand",
    "Past the service, the raw data is opened to the public and an alarm is deleted. It notices, and repairs both.",
  );
  await meddle(stage);
  await repairDrift(stage);

  printer.heading(
    "6/7  The team changes its mind",
    "Another budget, log retention, alarm threshold and hyperparameter, by a merge patch after a preview.",
  );
  await changeSpec(stage);

  printer.heading(
    "7/7  Everything goes",
    "Pipeline, foundation and team are torn down with their data; nothing stays behind.",
  );
  await tearDown(stage, account, foundation);
  summary.leftover = await proveEmpty(stage);
  summary.leftover += countRemains(stage, await service.stop());
  if (summary.leftover > 0) throw new Error("The teardown left something behind: see above");
  printer.line();
  printer.line(printer.style(["bold", "green"], `All of it took ${seconds(performance.now() - startedAt)}.`));
}
