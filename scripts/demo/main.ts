import { constants } from "node:os";
import { parseArgs } from "node:util";
import type { Client } from "../service/client.ts";
import { ServiceProcess } from "../service/service-process.ts";
import { Printer } from "./printer.ts";
import type { Summary } from "./stage.ts";
import { tell } from "./story.ts";

const usage = `Shows the whole life of a pipeline against the sandbox: no AWS account, no cost, nothing left behind.

npm run demo              watch it
npm run demo -- --json    the same on standard error, and one line of JSON as the last of standard output`;

const logTailLines = 25;
// A terminal and npm may both pass on one and the same Ctrl-C.
const sameInterruptMs = 500;

const interruption = new AbortController();
let interruptedBy: NodeJS.Signals | undefined;
let client: Client | undefined;
let service: ServiceProcess | undefined;

const flags = readFlags();
if (flags === undefined) process.exitCode = 2;
else if (flags.help) process.stdout.write(`${usage}\n`);
else process.exitCode = await main(flags.json);

function readFlags(): { json: boolean; help: boolean } | undefined {
  try {
    const options = {
      json: { type: "boolean", default: false },
      help: { type: "boolean", short: "h", default: false },
    } as const;
    return parseArgs({ options }).values;
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n\n${usage}\n`);
    return undefined;
  }
}

async function main(asJson: boolean): Promise<number> {
  const summary: Summary = {
    resources: null,
    foundationResources: null,
    provisionMs: null,
    accepted: null,
    quarantined: null,
    driftFound: null,
    driftFixed: null,
    updateMs: null,
    destroyMs: null,
    leftover: null,
  };
  const printer = new Printer(asJson ? process.stderr : process.stdout);
  listenForInterrupts();
  const failure = await play(printer, summary);
  await cleanUp(printer);
  const ok = failure === undefined;
  if (asJson)
    process.stdout.write(`${JSON.stringify({ ok, ...summary, ...(ok ? {} : { error: failure }) })}\n`);
  if (interruptedBy !== undefined) return 128 + constants.signals[interruptedBy];
  return ok ? 0 : 1;
}

/** Returns what went wrong, if anything. */
async function play(printer: Printer, summary: Summary): Promise<string | undefined> {
  try {
    printer.heading(
      "AIDLC control plane",
      "One REST call gives an ML team a complete, secure pipeline on AWS. Here AWS is a sandbox on this machine: no account, no cost.",
    );
    // biome-ignore lint/style/noProcessEnv: the entry file reads the environment and hands it on
    service = await ServiceProcess.start(process.env);
    const { signal } = interruption;
    await tell({
      printer,
      summary,
      service,
      signal,
      onClient: (opened) => {
        client = opened;
      },
    });
    return undefined;
  } catch (error) {
    if (interruptedBy !== undefined) return `interrupted by ${interruptedBy}`;
    const message = error instanceof Error ? error.message : String(error);
    printer.line();
    for (const line of `✗ ${message}`.split("\n")) printer.line(printer.style("red", line));
    printer.line();
    printer.line(printer.style("dim", "The service's last words:"));
    for (const line of (await service?.logTail(logTailLines)) ?? []) printer.line(printer.style("dim", line));
    return message;
  }
}

async function cleanUp(printer: Printer): Promise<void> {
  if (interruptedBy !== undefined) printer.line(`${interruptedBy}: cleaning up; once more to do it at once`);
  await client?.cancelRunning();
  await service?.stop();
}

function listenForInterrupts(): void {
  let firstAt = 0;
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    process.on(signal, () => {
      if (interruptedBy !== undefined) {
        if (performance.now() - firstAt > sameInterruptMs) service?.hurry();
        return;
      }
      firstAt = performance.now();
      interruptedBy = signal;
      interruption.abort();
    });
  }
  // Whoever read the output has gone (`npm run demo | head`): nobody watches any more.
  for (const stream of [process.stdout, process.stderr]) {
    stream.on("error", () => process.emit("SIGHUP"));
  }
}
