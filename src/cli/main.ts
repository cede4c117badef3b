#!/usr/bin/env node
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { exportAudit, verifyAudit } from "./audit.ts";
import { Client, RequestFailed } from "./client.ts";

const usage = `Usage:
  aidlc audit verify [--head SEQUENCE:HASH] [--json]   follow the chain of the audit trail
  aidlc audit export [--team TEAM]                     write its entries as JSON lines

Environment:
  AIDLC_URL          where the service is (http://127.0.0.1:8080)
  AIDLC_TOKEN        an API key or access token
  AIDLC_TOKEN_FILE   a file that holds it (admin-token in AIDLC_DATA_DIR, which is .aidlc)

Ends with 0, with 1 for a broken trail, and with 2 when it could not be asked.
`;

const exitCode = { ok: 0, broken: 1, failed: 2 } as const;

class UsageError extends Error {}

// biome-ignore lint/style/noProcessEnv: the command's entry file
const environment = process.env;

try {
  process.exitCode = await run(process.argv.slice(2));
} catch (error) {
  const expected = error instanceof UsageError || error instanceof RequestFailed;
  process.stderr.write(`${expected ? error.message : (error as Error).stack}\n`);
  if (error instanceof UsageError) process.stderr.write(`\n${usage}`);
  process.exitCode = exitCode.failed;
}

async function run(args: readonly string[]): Promise<number> {
  const { positionals, values } = parsed(args);
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
  throw new UsageError(command === "" ? "Nothing to do" : `There is no command "${command}"`);
}

function parsed(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        head: { type: "string" },
        team: { type: "string" },
        json: { type: "boolean" },
        help: { type: "boolean", short: "h" },
      },
    });
  } catch (cause) {
    throw new UsageError((cause as Error).message, { cause });
  }
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
