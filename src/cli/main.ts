#!/usr/bin/env node
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { exportAudit, verifyAudit } from "./audit.ts";
import { Client, RequestFailed } from "./client.ts";
import { type ReconcileRequest, reconcile, reconcileExit } from "./reconcile.ts";

const usage = `Usage:
  aidlc audit verify [--head SEQUENCE:HASH] [--json]   follow the chain of the audit trail
  aidlc audit export [--team TEAM]                     write its entries as JSON lines
  aidlc reconcile (--all | --team TEAM | --pipeline TEAM/PIPELINE) [--mode detect|remediate]
                  [--timeout SECONDS] [--json]         look for drift, or bring what drifted back, and wait

Environment:
  AIDLC_URL          where the service is (http://127.0.0.1:8080)
  AIDLC_TOKEN        an API key or access token
  AIDLC_TOKEN_FILE   a file that holds it (admin-token in AIDLC_DATA_DIR, which is .aidlc)

audit ends with 0, with 1 for a broken trail, and with 2 when it could not be asked. reconcile ends with 0 when nothing
drifted, with 2 for open drift or a plan that awaits approval, and with 3 for whatever failed or took too long.
`;

const exitCode = { ok: 0, broken: 1, failed: 2 } as const;
const args = process.argv.slice(2);

class UsageError extends Error {}

// biome-ignore lint/style/noProcessEnv: the command's entry file
const environment = process.env;

try {
  process.exitCode = await run(args);
} catch (error) {
  const expected = error instanceof UsageError || error instanceof RequestFailed;
  process.stderr.write(`${expected ? error.message : (error as Error).stack}\n`);
  if (error instanceof UsageError) process.stderr.write(`\n${usage}`);
  // For a job that runs it, 2 would mean that there is drift.
  process.exitCode = args.includes("reconcile") ? reconcileExit.failed : exitCode.failed;
}

async function run(given: readonly string[]): Promise<number> {
  const { positionals, values } = parsed(given);
  const { head, team, json = false, help } = values;
  if (help) {
    process.stdout.write(usage);
    return exitCode.ok;
  }
  const command = positionals.join(" ");
  if (command === "audit verify") {
    if (team !== undefined) throw new UsageError("--team has no place here: the chain is that of all teams");
    if (head !== undefined && !/^\d{1,15}:[0-9a-f]{64}$/.test(head))
      throw new UsageError(`--head "${head}" is not SEQUENCE:HASH, as an earlier verification told it`);
    return (await verifyAudit(client(), process.stdout, { head, json })) ? exitCode.ok : exitCode.broken;
  }
  if (command === "audit export") {
    if (head !== undefined) throw new UsageError("--head has no place here: it is for audit verify");
    // Whoever reads may have enough before the end.
    process.stdout.on("error", (error: NodeJS.ErrnoException) => {
      process.exit(error.code === "EPIPE" ? exitCode.ok : exitCode.failed);
    });
    await exportAudit(client(), process.stdout, team);
    return exitCode.ok;
  }
  if (command === "reconcile") return reconcile(client(), process.stdout, reconcileRequest(values));
  throw new UsageError(command === "" ? "Nothing to do" : `There is no command "${command}"`);
}

function parsed(given: readonly string[]) {
  try {
    return parseArgs({
      args: [...given],
      allowPositionals: true,
      options: {
        head: { type: "string" },
        team: { type: "string" },
        json: { type: "boolean" },
        all: { type: "boolean" },
        pipeline: { type: "string" },
        mode: { type: "string" },
        timeout: { type: "string" },
        help: { type: "boolean", short: "h" },
      },
    });
  } catch (cause) {
    throw new UsageError((cause as Error).message, { cause });
  }
}

function reconcileRequest({
  all,
  team,
  pipeline,
  mode = "detect",
  timeout = "3600",
  json = false,
}: ReturnType<typeof parsed>["values"]): ReconcileRequest {
  if ([all, team, pipeline].filter((scope) => scope !== undefined).length !== 1)
    throw new UsageError("Name exactly one of --all, --team and --pipeline");
  if (mode !== "detect" && mode !== "remediate")
    throw new UsageError(`--mode "${mode}" is neither detect nor remediate`);
  if (!/^[1-9]\d{0,5}$/.test(timeout))
    throw new UsageError(`--timeout "${timeout}" is not a number of seconds`);
  const [ofTeam = "", name] = pipeline?.split("/") ?? [];
  if (pipeline !== undefined && !/^[a-z0-9-]+\/[a-z0-9-]+$/.test(pipeline))
    throw new UsageError(`--pipeline "${pipeline}" is not TEAM/PIPELINE`);
  const scope = all
    ? { all }
    : team !== undefined
      ? { team }
      : { team: ofTeam, ...(name && { pipeline: name }) };
  return { scope, mode, timeoutMs: Number(timeout) * 1_000, json };
}

function client(): Client {
  const url = environment.AIDLC_URL || "http://127.0.0.1:8080";
  if (!/^https?:\/\//.test(url) || !URL.canParse(url))
    throw new UsageError(`AIDLC_URL="${url}" must begin with http:// or https://`);
  return new Client({ url, token: environment.AIDLC_TOKEN || storedToken() });
}

function storedToken(): string {
  const path = environment.AIDLC_TOKEN_FILE || join(environment.AIDLC_DATA_DIR || ".aidlc", "admin-token");
  try {
    return readFileSync(path, "utf8").trim();
  } catch (cause) {
    throw new UsageError(`No token in ${path}: set AIDLC_TOKEN or AIDLC_TOKEN_FILE`, { cause });
  }
}
