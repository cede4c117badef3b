import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { bootstrapToken } from "./service.ts";

export interface NodeProcess {
  readonly url: string;
  readonly child: ChildProcess;
}

const entry = fileURLToPath(new URL("../../src/main.ts", import.meta.url));

/** What starts a node when nothing else is to be done before. */
export const nodeCommand: readonly [string, ...string[]] = [process.execPath, entry];

/**
 * A node of the service as a process of its own, on a free port, ready; rejects with what it said when it ends before. `onStart` gets the
 * process at once, for whoever has to end it in any case.
 */
export async function startNodeProcess(
  environment: Readonly<Record<string, string>>,
  [command, ...args]: readonly [string, ...string[]] = nodeCommand,
  onStart: (child: ChildProcess) => void = () => {},
): Promise<NodeProcess> {
  const child = spawn(command, args, {
    env: {
      PATH: process.env.PATH,
      AIDLC_PORT: "0",
      AIDLC_BOOTSTRAP_TOKEN: bootstrapToken,
      ...environment,
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  onStart(child);
  let errors = "";
  child.stderr.on("data", (chunk: Buffer) => {
    errors += chunk.toString();
  });
  const ready = Promise.withResolvers<string>();
  createInterface({ input: child.stdout }).on("line", (line) => {
    const { msg, url } = JSON.parse(line) as { msg: string; url?: string };
    if (msg === "ready" && url !== undefined) ready.resolve(url);
  });
  child.once("close", () => ready.reject(new Error(errors)));
  return { url: await ready.promise, child };
}
