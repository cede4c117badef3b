import { once } from "node:events";
import { fstatSync } from "node:fs";
import { enableCompileCache } from "node:module";
import { createInterface } from "node:readline";

// Engines start this process for work by hand: with the cache of compiled code it is ready in a third of the time.
enableCompileCache();
const { serveProvider } = await import("../serve.ts");

// The service says it on standard input: every process of its user could read it in an environment.
const databaseUrl = process.argv.includes("--database-url-on-stdin")
  ? await firstLine()
  : // biome-ignore lint/style/noProcessEnv: an executable of its own, whose only setting this is
    process.env.AIDLC_SANDBOX_DATABASE_URL;
if (!databaseUrl) {
  process.stderr.write(
    "Set AIDLC_SANDBOX_DATABASE_URL to the database of the service whose sandbox this shall be.\n",
  );
  process.exit(1);
}
const provider = await serveProvider(databaseUrl);
// The first line of standard output is how an engine, or the service, learns the port.
process.stdout.write(`${provider.port}\n`);
const end = () => {
  // What is under way may end, but not hold up the shutdown of the service.
  setTimeout(() => process.exit(0), 1000).unref();
  void provider.close().finally(() => process.exit(0));
};
process.once("SIGINT", end);
process.once("SIGTERM", end);
// Whoever starts this process with a pipe ends it by closing the pipe, even by being killed. Engines outlive a killed service: they
// complete what they have begun, and must not lose the answer to a create that has happened.
const input = fstatSync(0);
if (input.isFIFO() || input.isSocket()) {
  process.stdin.on("end", () => void provider.drained().then(end)).resume();
}

async function firstLine(): Promise<string | undefined> {
  const lines = createInterface({ input: process.stdin });
  const [line] = await Promise.race([once(lines, "line"), once(lines, "close")]);
  return line;
}
