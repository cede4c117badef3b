import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { ensurePythonTool, type PythonTool } from "../python-tool.ts";

const moto = {
  name: "moto",
  title: "the AWS emulator moto",
  requirements: new URL("requirements.txt", import.meta.url),
  python: "3.10",
} satisfies PythonTool;

export interface Moto {
  readonly url: string;
  close(): Promise<void>;
}

/** Starts moto on a free port of loopback, after installing it where it isn't yet: see `ensurePythonTool`. */
export async function startMoto(env: NodeJS.ProcessEnv): Promise<Moto> {
  const python = await ensurePythonTool(moto, env);
  const child = spawn(python, ["-W", "ignore", "-m", "moto.server", "-H", "127.0.0.1", "-p", "0"], {
    stdio: ["ignore", "ignore", "pipe"],
    env: { PATH: env.PATH },
  });
  try {
    const url = await addressOf(child);
    // A full pipe would stop it.
    child.stderr?.resume();
    return { url, close: () => end(child) };
  } catch (error) {
    await end(child);
    throw error;
  }
}

/** The server tells its address, with the port that it was given, on standard error. */
async function addressOf(child: ChildProcess): Promise<string> {
  const said: string[] = [];
  for await (const line of createInterface({ input: child.stderr as NodeJS.ReadableStream })) {
    const url = /Running on (http:\/\/127\.0\.0\.1:\d+)/.exec(line)?.[1];
    if (url !== undefined) return url;
    said.push(line);
  }
  throw new Error(`moto did not start:\n${said.join("\n")}`);
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, "exit");
  child.kill("SIGTERM");
  await exited;
}
