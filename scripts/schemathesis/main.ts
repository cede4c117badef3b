import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { ensurePythonTool } from "../python-tool.ts";
import { Client } from "../service/client.ts";
import { ServiceProcess } from "../service/service-process.ts";
import { handOver } from "../setup/processes.mjs";
import { type Dictionaries, prepare } from "./prepare.ts";

const here = (file: string) => fileURLToPath(new URL(file, import.meta.url));

const settings = {
  // One engine at a time leaves a core for requests.
  AIDLC_CONCURRENCY: "1",
  // More than can be sent: the limits have tests of their own.
  AIDLC_RATE_LIMIT_PER_MINUTE: "1000000",
  AIDLC_TEAM_MAX_OPERATIONS_PER_DAY: "1000000",
  // Without an issuer nobody can be a member. Nothing answers there, and no test sends an access token.
  AIDLC_OIDC_ISSUER: "http://127.0.0.1:9",
  AIDLC_OIDC_AUDIENCE: "aidlc",
};

// biome-ignore lint/style/noProcessEnv: a command of its own; Python and the service get it as it is
const environment = process.env;
process.exitCode = await main(minutesOf(process.argv.slice(2)));

async function main(minutes: number): Promise<number> {
  const python = await ensurePythonTool(
    {
      name: "schemathesis",
      title: "the API tester schemathesis",
      requirements: new URL("requirements.txt", import.meta.url),
      python: "3.11",
    },
    environment,
  );
  const service = await ServiceProcess.start(environment, settings);
  const folder = await mkdtemp(join(tmpdir(), "aidlc-schemathesis-"));
  let code = 1;
  try {
    const { signal } = new AbortController();
    const url = await service.ready(signal);
    const client = new Client({ url, token: service.token, signal, onCall: () => {} });
    const { subject } = await client.get<{ subject: string }>("/v1/whoami");
    const config = join(folder, "schemathesis.toml");
    const base = await readFile(here("schemathesis.toml"), "utf8");
    await writeFile(config, `${base}\n${tomlOf(await prepare(client))}`);
    const document = join(folder, "openapi.json");
    await writeFile(document, JSON.stringify(await client.get("/openapi.json")));
    print(`testing ${url} for ${minutes} minutes at most`);
    const args = ["-m", "schemathesis.cli", "--config-file", config, "run", document, "--url", url];
    const bounds = ["--max-time", String(minutes * 60), "--generation-database", "none", "--no-color"];
    code = await handOver([python, ...args, ...bounds], {
      ...environment,
      SCHEMATHESIS_HOOKS: here("hooks.py"),
      FUZZ_TOKEN: service.token,
      FUZZ_KEY_ID: subject.replace("key:", ""),
    });
    // A key that opens nothing any more would have made every answer a right one.
    await client.get("/v1/whoami");
    if (code !== 0) for (const line of await service.logTail(20)) print(line);
  } finally {
    await rm(folder, { recursive: true, force: true });
    const { processes } = await service.stop();
    if (processes.length > 0) {
      print(`the service left ${processes.length} processes behind`);
      code = 1;
    }
  }
  print(code === 0 ? "passed" : "failed");
  return code;
}

function tomlOf(dictionaries: Dictionaries): string {
  // Lists of plain texts are written in TOML as in JSON.
  const lines = Object.entries(dictionaries).map(
    ([name, values]) => `${name} = { values = ${JSON.stringify(values)} }`,
  );
  return ["[dictionaries]", ...lines, ""].join("\n");
}

function minutesOf(args: string[]): number {
  const { values } = parseArgs({ args, options: { minutes: { type: "string", default: "3" } } });
  const minutes = Number(values.minutes);
  if (Number.isInteger(minutes) && minutes > 0) return minutes;
  throw new Error(`--minutes=${values.minutes}: a whole number of minutes from 1 on`);
}

function print(line: string): void {
  process.stdout.write(`schemathesis: ${line}\n`);
}
