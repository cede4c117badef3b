import { readdirSync, readFileSync } from "node:fs";
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Moto, startMoto } from "../../scripts/moto/moto.ts";
import { ServiceProcess } from "../../scripts/service/service-process.ts";
import { type EmbeddedPostgres, startEmbeddedPostgres } from "../../src/postgres/embedded.ts";
import { migrate } from "../../src/postgres/migrations.ts";
import { openPool } from "../../src/postgres/pool.ts";
import { type AwsRecorder, type AwsRequest, recordAws } from "../support/aws-recorder.ts";
import { ended, type Requester, requester } from "../support/service.ts";

const accountId = "111122223333";
const roleArn = `arn:aws:iam::${accountId}:role/platform/aidlc-provisioner`;
const region = "eu-central-1";

/** The service's own identity and secrets, in every form that AWS's SDKs and ours know. */
const planted = {
  AWS_ACCESS_KEY_ID: "AKIAPLANTEDPLANTED00",
  AWS_SECRET_ACCESS_KEY: "planted-secret-access-key",
  AWS_SESSION_TOKEN: "planted-session-token",
  AWS_SHARED_CREDENTIALS_FILE: "/planted/credentials",
  AWS_CONFIG_FILE: "/planted/config",
  AWS_WEB_IDENTITY_TOKEN_FILE: "/planted/web-identity",
  AWS_ROLE_ARN: "arn:aws:iam::999988887777:role/planted",
  AWS_CONTAINER_AUTHORIZATION_TOKEN: "planted-container-token",
  AIDLC_STATE_PASSPHRASE: "planted-master-passphrase",
  AZURE_STORAGE_KEY: "planted-azure-key",
  GOOGLE_CREDENTIALS: "planted-google-credentials",
  UNRELATED_SECRET: "planted-unrelated-secret",
};

interface Seen {
  readonly command: string;
  readonly environment: string;
}

let moto: Moto;
let recorder: AwsRecorder;
let sandbox: EmbeddedPostgres;
let folder: string;
let service: ServiceProcess;
let api: Requester;
let refuse: (request: AwsRequest) => boolean = () => false;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "aidlc-credentials-"));
  moto = await startMoto(process.env);
  recorder = await recordAws(moto.url, (request) => {
    if (request.target?.startsWith("CloudApiService")) return { status: 501, type: "text/plain", body: "" };
    return refuse(request) ? { status: 403, type: "text/xml", body: accessDenied } : undefined;
  });
  sandbox = await startEmbeddedPostgres(join(folder, "aws"));
  const pool = openPool(sandbox.url, 1);
  await migrate(pool);
  await pool.end();
  const home = await homeWithPlugin(sandbox.url);
  const environment = { ...process.env, ...planted, HOME: home };
  service = await ServiceProcess.start(environment, {
    ...planted,
    AIDLC_TARGET: "aws",
    AWS_ENDPOINT_URL: recorder.url,
  });
  const url = await service.ready(AbortSignal.timeout(100_000));
  api = requester(url, service.token);
});
afterAll(async () => {
  await service?.stop();
  await sandbox?.stop();
  await recorder?.close();
  await moto?.close();
  await rm(folder, { recursive: true, force: true });
});

const accessDenied =
  '<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>no</Message></Error></ErrorResponse>';

/** A home folder in which engines find a stand-in for the official plugin, which plays AWS on a database of its own. */
async function homeWithPlugin(databaseUrl: string): Promise<string> {
  const { dependencies } = JSON.parse(await readFile(new URL("../../package.json", import.meta.url), "utf8"));
  const home = join(folder, "home");
  const place = join(home, ".pulumi", "plugins", `resource-aws-v${dependencies["@pulumi/aws"]}`);
  await mkdir(place, { recursive: true });
  const standIn = fileURLToPath(new URL("../support/stand-in-plugin.ts", import.meta.url));
  // Node hands the runner's fence on to every Node below it; the official plugin is none.
  const command = `AIDLC_SANDBOX_DATABASE_URL='${databaseUrl}' exec env -u NODE_OPTIONS '${process.execPath}' '${standIn}' '${join(folder, "identity.json")}'`;
  const script = `#!/bin/sh\n${command}\n`;
  await writeFile(join(place, "pulumi-resource-aws"), script);
  await chmod(join(place, "pulumi-resource-aws"), 0o755);
  return home;
}

/** Every process below the service as long as `work` lasts: each bears a runner's marker. */
async function watched<Result>(work: Promise<Result>): Promise<{ result: Result; seen: Map<string, Seen> }> {
  const seen = new Map<string, Seen>();
  const look = () => {
    for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
      try {
        const environment = readFileSync(`/proc/${pid}/environ`, "utf8");
        const ours = environment.includes(service.folder) && environment.includes("AIDLC_RUNNER=");
        const command = ours ? readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ") : "";
        // A process is its parent's image for a moment.
        if (command !== "") seen.set(`${pid} ${command}`, { command, environment });
      } catch {
        // It ended meanwhile.
      }
    }
  };
  const timer = setInterval(look, 20);
  try {
    return { result: await work, seen };
  } finally {
    clearInterval(timer);
  }
}

async function register(team: string, body: object = { accountId, region, roleArn }) {
  const created = await api.request("POST", "/v1/teams", { name: team });
  const externalId: string = created.body.externalId;
  const accepted = await api.request("PUT", `/v1/teams/${team}/accounts/main`, body);
  return { externalId, accepted };
}

describe("an operation on AWS", () => {
  it("runs in a session of the team's role, and no process of it ever sees an identity or a secret of the service", async () => {
    const { externalId, accepted } = await register("research");
    const { result, seen } = await watched(ended(api, accepted));
    expect(result.error).toBeUndefined();
    expect(result).toMatchObject({ state: "succeeded" });

    const session = recorder.requests.find(
      ({ form }) => form.RoleSessionName === `aidlc-${accepted.body.id}`,
    );
    expect(session?.form).toMatchObject({
      Action: "AssumeRole",
      RoleArn: roleArn,
      ExternalId: externalId,
      "Tags.member.1.Value": "research",
      "Tags.member.2.Key": "account",
      "Tags.member.3.Value": accepted.body.id,
    });
    expect(session?.form.Policy).toContain("cloudtrail:*");
    expect(JSON.parse(await readFile(join(folder, "identity.json"), "utf8"))).toEqual({
      Account: accountId,
      Arn: `arn:aws:sts::${accountId}:assumed-role/aidlc-provisioner/aidlc-${accepted.body.id}`,
    });

    const processes = [...seen.values()];
    const runner = processes.filter(({ command }) => command.includes("runner.ts"));
    const cli = processes.filter(({ command }) => /(^|\/)pulumi /.test(command));
    const provider = processes.filter(({ command }) => command.includes("stand-in-plugin.ts"));
    for (const kind of [runner, cli, provider]) expect(kind).not.toEqual([]);
    const secrets = [
      ...Object.values(planted),
      service.token,
      (await readFile(join(service.folder, "postgres", "password"), "utf8")).trim(),
    ];
    const found = processes.flatMap(({ command, environment }) =>
      secrets.filter((secret) => `${command} ${environment}`.includes(secret)),
    );
    expect(found).toEqual([]);
    for (const { environment } of processes)
      expect(environment).toContain("AWS_EC2_METADATA_DISABLED=true\0");
    for (const { environment } of provider)
      expect(environment).toContain("AWS_CONTAINER_CREDENTIALS_FULL_URI=http://127.0.0.1:");

    const value = (name: string) =>
      new RegExp(`${name}=([^\0]+)`).exec(provider[0]?.environment ?? "")?.[1] ?? "";
    const answer = await fetch(value("AWS_CONTAINER_CREDENTIALS_FULL_URI"), {
      headers: { authorization: value("AWS_CONTAINER_AUTHORIZATION_TOKEN") },
    });
    expect(answer.status).toBe(404);
  });

  it("starts nothing when AWS refuses the role, and says what to mend", async () => {
    refuse = ({ form }) => form.Action === "AssumeRole";
    const { accepted } = await register("fraud", { accountId, region: "eu-west-1", roleArn });
    const { result, seen } = await watched(ended(api, accepted));
    refuse = () => false;
    expect(result).toMatchObject({
      state: "failed",
      error: { code: "access_denied", message: expect.stringContaining(roleArn) },
    });
    expect([...seen.values()].filter(({ command }) => /(^|\/)pulumi /.test(command))).toEqual([]);
  });

  it("needs a role: without one the account isn't registered", async () => {
    const { accepted } = await register("vision", { accountId, region });
    expect(accepted).toMatchObject({ status: 400, body: { errors: [{ path: "/roleArn" }] } });
  });
});
