import { randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { pino } from "pino";
import { newKey } from "../../src/access/key-format.ts";
import { parseConfig } from "../../src/config.ts";
import { openPool } from "../../src/postgres/pool.ts";
import { type Service, startService } from "../../src/service.ts";

export const bootstrapToken = "acceptance-test-token";

export interface Requester {
  readonly url: string;
  /** The administrator's key. */
  readonly token: string;
  /** Sends a request with that key; the body goes as JSON unless it is text, which goes as YAML. */
  request(
    method: string,
    path: string,
    body?: unknown,
    headers?: Record<string, string>,
  ): Promise<TestResponse>;
}

export interface TestService extends Service, Requester {
  readonly dataDir: string;
  /** The key of an administrator who asks for nothing: `ended` approves with it. */
  readonly approver: string;
  /** Closes the service and removes its data. */
  remove(): Promise<void>;
}

export interface TestResponse {
  readonly status: number;
  readonly headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: a test reads whatever the answer holds and fails when it isn't there
  readonly body: any;
}

/** A whole service on an ephemeral port with a database and data folder of its own. */
export async function startTestService(environment: Record<string, string> = {}): Promise<TestService> {
  const dataDir = await mkdtemp(join(tmpdir(), "aidlc-acceptance-"));
  const config = parseConfig({
    PATH: process.env.PATH,
    AIDLC_DATA_DIR: dataDir,
    AIDLC_PORT: "0",
    AIDLC_RATE_LIMIT_PER_MINUTE: "100000",
    AIDLC_BOOTSTRAP_TOKEN: bootstrapToken,
    AIDLC_LOG_LEVEL: process.env.AIDLC_LOG_LEVEL ?? "silent",
    ...environment,
  });
  const service = await startService(config, pino({ level: config.logLevel }));
  return {
    ...service,
    dataDir,
    ...requester(service.url, await administratorKey(service.url)),
    approver: await approverKey(service.databaseUrl),
    remove: async () => {
      await service.close(0);
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

/** Adds an administrator whom nobody of the service has made, so that they may approve of what anybody asks for. */
export async function approverKey(databaseUrl: string): Promise<string> {
  const { text, prefix, digest } = newKey();
  const id = randomUUID();
  const pool = openPool(databaseUrl, 1);
  await pool.query(
    `insert into api_keys (id, prefix, digest, name, created_by, expires_at)
     values ($1, $2, $3, 'an approver', 'user:nobody', now() + interval '1 day')`,
    [id, prefix, digest],
  );
  await pool.query(
    "insert into grants (subject, team, roles, granted_by) values ($1, null, array['admin'], 'user:nobody')",
    [`key:${id}`],
  );
  await pool.end();
  return text;
}

export function requester(url: string, token: string): Requester {
  const withKey = (headers: Record<string, string> = {}) => ({
    authorization: `Bearer ${token}`,
    ...headers,
  });
  return {
    url,
    token,
    request: (method, path, body, headers) => send(url, method, path, body, withKey(headers)),
  };
}

/** Exchanges the bootstrap token, which can be done once for each database. */
export async function administratorKey(url: string): Promise<string> {
  const headers = { authorization: `Bearer ${bootstrapToken}` };
  let answer = await send(url, "POST", "/v1/bootstrap", undefined, headers);
  // A busy machine has just started a service, which is not ready to keep up yet and says when it may be.
  while (answer.status === 503) {
    await sleep(Number(answer.headers.get("retry-after")) * 1_000);
    answer = await send(url, "POST", "/v1/bootstrap", undefined, headers);
  }
  if (answer.status !== 201) throw new Error(`${answer.status}: ${JSON.stringify(answer.body)}`);
  return answer.body.key;
}

async function send(
  url: string,
  method: string,
  path: string,
  body: unknown,
  headers: Record<string, string>,
): Promise<TestResponse> {
  const type = typeof body === "string" ? "application/yaml" : "application/json";
  const response = await fetch(`${url}${path}`, {
    method,
    headers: {
      ...(body === undefined ? {} : { "content-type": type }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
  });
  const text = await response.text();
  const isJson = response.headers.get("content-type")?.includes("json");
  return { status: response.status, headers: response.headers, body: isJson ? JSON.parse(text) : text };
}

/** Waits until an accepted operation has ended and returns it; whoever has an approver approves of what waits for that. */
export async function ended(
  service: Requester & { readonly approver?: string },
  accepted: TestResponse,
): Promise<TestResponse["body"]> {
  if (accepted.status !== 202) throw new Error(`${accepted.status}: ${JSON.stringify(accepted.body)}`);
  for (;;) {
    const { body } = await service.request("GET", accepted.headers.get("location") ?? "", undefined, {
      prefer: "wait=60",
    });
    if (body.finishedAt !== undefined) return body;
    if (body.state === "awaiting_approval" && service.approver !== undefined)
      await approve(requester(service.url, service.approver), body);
  }
}

/** Approves of the plan that an operation waits with. */
export async function approve(
  approver: Requester,
  { id, approval }: TestResponse["body"],
): Promise<TestResponse> {
  return approver.request("POST", `/v1/operations/${id}/approve`, { digest: approval.digest });
}

/** Resolves when the first resource of AWS has come so far in an operation, by its event stream. */
export async function firstResource(
  { url, token }: Requester,
  operation: string,
  status: "started" | "done" | "failed",
): Promise<void> {
  const response = await fetch(`${url}/v1/operations/${operation}/events`, {
    headers: { authorization: `Bearer ${token}`, accept: "text/event-stream" },
  });
  const wanted = new RegExp(
    `"status":"${status}"[^\\n]*"resourceType":"aws:|"resourceType":"aws:[^\\n]*"status":"${status}"`,
  );
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of response.body ?? []) {
    text += decoder.decode(chunk, { stream: true });
    if (wanted.test(text)) return;
  }
  throw new Error(`The operation ended before a resource was ${status}`);
}
