import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { type EmbeddedPostgres, startEmbeddedPostgres } from "../../src/postgres/embedded.ts";
import { openPool } from "../../src/postgres/pool.ts";
import { type Issuer, startIssuer } from "../src/access/issuer.ts";
import { Receiver } from "../src/webhooks/receiver.ts";
import type { Document } from "../support/builders.ts";
import { ObservedService } from "../support/observed-service.ts";
import { credentials, PlantedSecrets } from "../support/planted-secrets.ts";
import { approve, approverKey, requester } from "../support/service.ts";

const spec = parse(await readFile(new URL("../../examples/penguins.yaml", import.meta.url), "utf8"));
const team = "/v1/teams/research";
const account = `${team}/accounts/main`;
const pipeline = `${team}/pipelines/penguins`;
const webhook = "the address of a webhook";
const receiverAddress = "the address of a team's receiver";

/** Where a secret may be, and why: everywhere else it is a leak. */
const mayHold: readonly { readonly place: RegExp; readonly secrets: RegExp; readonly why: string }[] = [
  {
    place:
      /^(table public\.(revisions|operations)|GET \/v1\/teams\/research\/pipelines\/penguins(\/revisions(\/1)?)?)$/,
    secrets: /^the address of a webhook$/,
    why: "It is a part of the spec, which its owners are to read and change; an operation keeps the spec that it previews",
  },
  {
    place: /^POST \/v1\/(bootstrap|teams\/research\/(keys|webhooks))$/,
    secrets:
      /^(an API key|the administrator's key|the secret of a webhook|the address of a team's receiver)$/,
    why: "The answer that shows a key, or a secret, for the first and last time",
  },
  {
    place: /^(table public\.webhooks|GET \/v1\/teams\/research\/webhooks.*)$/,
    secrets: /^the address of a team's receiver$/,
    why: "Where to send: the team's maintainers are to read and change it",
  },
  {
    place: /^(table sandbox\.|[A-Z]+ \/sandbox\/)/,
    secrets: /(in an error of AWS|changed by hand|the address of a webhook)$/,
    why: "The sandbox stands for AWS, which holds what it is given, and refuses with what it was told to say",
  },
  {
    place: /^file data\/state\//,
    secrets: /^a credential in a property, changed by hand$/,
    why: "A refresh takes over what AWS holds; the property is none that anybody declared secret",
  },
];

const secrets = new PlantedSecrets();
/** What was found, by place. */
const found = new Map<string, Buffer[]>();

function keep(place: string, content: string | Buffer): void {
  const all = found.get(place) ?? [];
  all.push(Buffer.from(content));
  found.set(place, all);
}

const textOf = (place: string) => (found.get(place) ?? []).join("\n");

/** The secrets at the places whose names begin so, by place, without those that may be there. */
function leaks(kind: string): Readonly<Record<string, readonly string[]>> {
  const places = [...found].filter(([place]) => place.startsWith(kind));
  expect(places.length, `places of the kind "${kind}"`).toBeGreaterThan(0);
  const leaking = places.map(([place, contents]) => {
    const names = new Set(contents.flatMap((content) => secrets.in(content)));
    for (const { place: where, secrets: which } of mayHold) {
      if (where.test(place))
        for (const name of [...names].filter((one) => which.test(one))) names.delete(name);
    }
    return [place, [...names]] as const;
  });
  return Object.fromEntries(leaking.filter(([, names]) => names.length > 0));
}

describe("secrets in every input there is, after a pipeline's life with failures and drift", () => {
  let database: EmbeddedPostgres;
  let databaseFolder: string;
  let issuer: Issuer;
  let receiver: Receiver;
  let service: ObservedService;
  let token: string;
  let approver: string;

  async function send(method: string, path: string, body?: unknown, headers: Record<string, string> = {}) {
    const response = await fetch(`${service.url}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${token}`,
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    const [route] = path.split("?");
    keep(`${method} ${route}`, `${text} ${JSON.stringify([...response.headers])}`);
    const isJson = response.headers.get("content-type")?.includes("json") && !path.includes("export");
    const parsed: Document = isJson ? JSON.parse(text) : text;
    return { status: response.status, location: response.headers.get("location") ?? "", body: parsed };
  }

  /** The end of an operation, with its event stream; what waits for it is approved of. */
  async function ended(accepted: Awaited<ReturnType<typeof send>>): Promise<Document> {
    expect(accepted.status, JSON.stringify(accepted.body)).toBe(202);
    const { location } = accepted;
    const streamed = fetch(`${service.url}${location}/events`, {
      headers: { authorization: `Bearer ${token}`, accept: "text/event-stream" },
    }).then((stream) => stream.text());
    for (let looked = accepted.body; looked.finishedAt === undefined; ) {
      if (looked.state === "awaiting_approval") await approve(requester(service.url, approver), looked);
      looked = (await send("GET", location, undefined, { prefer: "wait=60" })).body;
    }
    keep("event stream", await streamed);
    await send("GET", `${location}/events?limit=1000`);
    return (await send("GET", location)).body;
  }

  async function succeeded(accepted: Awaited<ReturnType<typeof send>>): Promise<Document> {
    const operation = await ended(accepted);
    expect(operation.state, JSON.stringify(operation.error)).toBe("succeeded");
    return operation;
  }

  const first = async (type: string): Promise<Document> => {
    const { body } = await send("GET", `/sandbox/v1/resources?pipeline=penguins&type=${type}`);
    expect(body.items.length, type).toBeGreaterThan(0);
    return body.items[0];
  };

  beforeAll(async () => {
    databaseFolder = await mkdtemp(join(tmpdir(), "aidlc-secrets-database-"));
    database = await startEmbeddedPostgres(databaseFolder);
    issuer = await startIssuer();
    receiver = await Receiver.start();
    secrets.add("the database's password", new URL(database.url).password);
    const bootstrapToken = secrets.plant("the bootstrap token");
    service = await ObservedService.start({
      AIDLC_LOG_LEVEL: "trace",
      AIDLC_BOOTSTRAP_TOKEN: bootstrapToken,
      AIDLC_STATE_PASSPHRASE: secrets.plant("the state passphrase"),
      AIDLC_OIDC_ISSUER: issuer.url,
      AIDLC_OIDC_AUDIENCE: issuer.config.audience,
      DATABASE_URL: database.url,
      AIDLC_WEBHOOKS_LOCAL: "on",
      AWS_ACCESS_KEY_ID: secrets.add("an AWS access key id", credentials.awsKeyId()),
      AWS_SECRET_ACCESS_KEY: secrets.plant("an AWS secret access key"),
      AWS_SESSION_TOKEN: secrets.plant("an AWS session token"),
      AZURE_CLIENT_SECRET: secrets.plant("another secret of the service's environment"),
    });
    token = bootstrapToken;
    token = secrets.add("the administrator's key", (await send("POST", "/v1/bootstrap", {})).body.key);
    approver = secrets.add("an approver's key", await approverKey(database.url));
    await live();
    await look();
  }, 600_000);

  afterAll(async () => {
    await service?.remove();
    await issuer?.close();
    await receiver?.close();
    await database?.stop();
    await rm(databaseFolder, { recursive: true, force: true });
  });

  async function live(): Promise<void> {
    await send("POST", "/v1/teams", { name: "research" });
    await succeeded(await send("PUT", account, { accountId: "123456789012", region: "eu-central-1" }));
    await identify();
    await listen();
    await mistake();

    const address = `https://hooks.example.com/services/${secrets.plant(webhook)}`;
    const wanted = { ...spec, alerts: { emails: [], webhooks: [address] } };
    const headers = { "idempotency-key": secrets.plant("an idempotency key") };
    const body = { name: "penguins", spec: wanted };
    await succeeded(await send("POST", `${team}/pipelines`, body, headers));
    await send("POST", `${team}/pipelines`, body, headers);
    await send("POST", `${team}/pipelines`, { ...body, name: "others" }, headers);
    await succeeded(await send("POST", `${pipeline}/previews`, { ...wanted, budget: { monthlyUsd: 90 } }));

    await fail();
    await drift();
    await send("GET", "/v1/audit/export");
    await readEverything();
    await succeeded(await send("DELETE", `${pipeline}?data=delete&confirm=research/penguins`));
    await readEverything();
    await succeeded(await send("DELETE", `${account}?data=delete`));
    await readEverything();
  }

  async function identify(): Promise<void> {
    const { body } = await send("POST", `${team}/keys`, { name: "ci", roles: ["developer"] });
    const key = secrets.add("an API key", body.key, body.key.slice(-43));
    await send("PUT", `${team}/members/user:ada`, { roles: ["developer"] });
    const accessToken = await issuer.token();
    secrets.add("an access token", accessToken, accessToken.split(".")[2]);
    const wrong = secrets.plant("a token that opens nothing");
    const forged = secrets.plant("the signature of a forged access token");
    const [head, claims] = accessToken.split(".");
    const basic = Buffer.from(`ada:${secrets.plant("a password for HTTP Basic")}`).toString("base64");
    const presented = [key, accessToken, wrong, `${head}.${claims}.${forged}`].map((one) => `Bearer ${one}`);
    for (const authorization of [...presented, `Basic ${basic}`, secrets.plant("a header of no scheme")]) {
      for (const path of ["/v1/whoami", "/docs/", pipeline, "/v1/nothing"]) {
        await send("GET", path, undefined, { authorization });
      }
    }
    await send("DELETE", `${team}/keys/${body.id}`);
    await send("GET", "/v1/whoami", undefined, { authorization: `Bearer ${key}` });
  }

  async function listen(): Promise<void> {
    const url = `${receiver.url}/${secrets.plant(receiverAddress)}`;
    const { body } = await send("POST", `${team}/webhooks`, { url, events: ["*"] });
    secrets.add("the secret of a webhook", body.secret, body.secret.slice("whsec_".length));
  }

  /** Secrets where none belongs. */
  async function mistake(): Promise<void> {
    for (const name of [
      "x-api-key",
      "cookie",
      "x-amz-security-token",
      "user-agent",
      "referer",
      "x-request-id",
    ]) {
      await send("GET", "/v1/teams", undefined, { [name]: secrets.plant(`a header ${name}`) });
    }
    for (const name of ["access_token", "cursor", "token"]) {
      await send("GET", `/v1/teams?${name}=${secrets.plant(`a query string ${name}`)}`);
    }
    const forms = Object.entries(credentials);
    for (const [form, create] of forms) {
      const plant = (where: string) => {
        const value = create();
        return secrets.add(`a credential (${form}) ${where}`, value, value.split("\n")[1] ?? value);
      };
      const refused = [
        {
          ...spec,
          training: { ...spec.training, hyperparameters: { target: plant("as a hyperparameter") } },
        },
        { ...spec, tags: { note: plant("as a tag") } },
        { ...spec, tags: { [plant("as the key of a tag")]: "x" } },
        { ...spec, owner: plant("as the owner") },
        { ...spec, profile: plant("as the profile") },
        { ...spec, [plant("as an unknown field")]: 1 },
        { ...spec, dataset: { ...spec.dataset, schema: [{ name: plant("as a column"), type: "string" }] } },
      ];
      for (const wrong of refused) {
        for (const [method, path, body] of [
          ["PUT", pipeline, wrong],
          ["POST", `${team}/pipelines`, { name: "penguins", spec: wrong }],
          ["POST", `${pipeline}/previews`, wrong],
        ] as const) {
          expect((await send(method, path, body)).status).toBe(400);
        }
      }
      await send("POST", "/v1/teams", { name: plant("as a team's name") });
      await send("PATCH", team, { displayName: plant("as a team's display name") });
      await send("POST", `${team}/keys`, { name: plant("as a key's name"), roles: ["viewer"] });
    }
    await send("PUT", pipeline, { ...spec, tags: { password: secrets.plant("a tag named password") } });
    await send("PUT", pipeline, {
      ...spec,
      training: {
        ...spec.training,
        hyperparameters: { api_key: secrets.plant("a hyperparameter named api_key") },
      },
    });
  }

  /** An update that fails with a message of AWS that tells too much. */
  async function fail(): Promise<void> {
    const told = Object.entries(credentials).map(([form, create]) => {
      const value = create();
      return secrets.add(`a credential (${form}) in an error of AWS`, value, value.split("\n")[1] ?? value);
    });
    const message = [
      "It was refused:",
      ...told,
      `password=${secrets.plant("a password in an error of AWS")}`,
      `{"secretString":"${secrets.plant("a secret in JSON in an error of AWS")}"}`,
      `postgres://user:${secrets.plant("a password in an address in an error of AWS")}@db.example.com/x`,
    ].join(" ");
    const type = "aws:budgets/budget:Budget";
    const fault = { kind: "error", type, operation: "update", code: "Refused", message };
    expect((await send("POST", "/sandbox/v1/faults", fault)).status).toBe(201);
    const failed = await ended(await send("PATCH", pipeline, { budget: { monthlyUsd: 100 } }));
    expect(failed).toMatchObject({ state: "failed", error: { resource: { type } } });
    expect(failed.error.message).toContain("It was refused:");
    await send("DELETE", "/sandbox/v1/faults");
    await succeeded(await send("PATCH", pipeline, { budget: { monthlyUsd: 99 } }));
  }

  /** Changes by hand of what the program holds secret, and of what it doesn't. */
  async function drift(): Promise<void> {
    const change = async (id: string, properties: object) => {
      const { status, body } = await send("PATCH", `/sandbox/v1/resources/${id}`, properties);
      expect(status, JSON.stringify(body)).toBe(200);
    };
    const parameter = await first("aws:ssm/parameter:Parameter");
    const value = secrets.plant("the value of a parameter, changed by hand");
    await change(parameter.id, { insecureValue: null, value });
    const topic = await first("aws:sns/topic:Topic");
    const displayName = secrets.add("a credential in a property, changed by hand", credentials.gitHubToken());
    await change(topic.id, { displayName });
    const checked = await succeeded(await send("POST", `${pipeline}/drift-checks`));
    expect(checked.result.steps.map(({ type }: Document) => type)).toEqual(
      expect.arrayContaining([parameter.type, topic.type]),
    );
    await send("GET", `${pipeline}/drift`);
    await succeeded(await send("POST", `${pipeline}/refreshes`));
    await send("GET", `${pipeline}/resources?limit=200`);
    await succeeded(await send("POST", `${pipeline}/reconciliations`));
  }

  /** Every answer that the service gives of what there is. */
  async function readEverything(): Promise<void> {
    const { body: document } = await send("GET", "/openapi.json");
    const { body: operations } = await send("GET", "/v1/operations?limit=200");
    const { body: keys } = await send("GET", `${team}/keys`);
    const { body: webhooks } = await send("GET", `${team}/webhooks`);
    const { body: deliveries } = await send("GET", `${team}/webhooks/${webhooks.items[0].id}/deliveries`);
    const { body: found } = await send("GET", `${pipeline}/drift`);
    const names = {
      team: "research",
      account: "main",
      pipeline: "penguins",
      operation: operations.items[0].id,
      key: keys.items[0].id,
      subject: "user:ada",
      policy: "none",
      revision: "1",
      drift: found.drifts?.[0]?.id ?? "none",
      rule: "none",
      webhook: webhooks.items[0].id,
      delivery: deliveries.items[0].id,
    };
    for (const [path, methods] of Object.entries<Document>(document.paths)) {
      if (methods.get === undefined || path.includes("{id}")) continue;
      await send(
        "GET",
        path.replaceAll(/\{(\w+)\}/g, (_, name: keyof typeof names) => names[name]),
      );
    }
    for (const { id } of operations.items) {
      await send("GET", `/v1/operations/${id}`);
      await send("GET", `/v1/operations/${id}/events?limit=1000`);
    }
    const { body: resources } = await send("GET", "/sandbox/v1/resources?limit=200");
    for (const { id } of resources.items) await send("GET", `/sandbox/v1/resources/${id}`);
  }

  async function look(): Promise<void> {
    await service.stop();
    for (const { text } of receiver.received) keep("webhook", text);
    keep("log", await service.log);
    for (const text of service.processes) keep("process", text);
    for (const [path, contents] of service.files) {
      const place = `file ${path.slice(service.folder.length + 1)}`;
      for (const content of contents.values()) keep(place, content);
    }
    const pool = openPool(database.url, 1);
    const { rows: tables } = await pool.query<{ name: string }>(
      `select quote_ident(table_schema) || '.' || quote_ident(table_name) as name from information_schema.tables
       where table_schema not in ('pg_catalog', 'information_schema') and table_type = 'BASE TABLE'`,
    );
    for (const { name } of tables) {
      const { rows } = await pool.query<{ row: string }>(`select t::text as row from ${name} t`);
      for (const { row } of rows) keep(`table ${name}`, row);
    }
    await pool.end();
  }

  it("were planted in places of every kind", () => {
    expect(secrets.names.length).toBeGreaterThan(60);
    for (const program of ["src/engine/runner.ts", "pulumi", "src/sandbox/plugin/main.ts"]) {
      expect(textOf("process")).toContain(program);
    }
    expect(
      [...found.keys()].filter((place) => /^file data\/state\/.*\.json$/.test(place)).length,
    ).toBeGreaterThan(0);
    expect(textOf("event stream")).toContain("event: end");
    expect(new Set(receiver.types())).toEqual(
      new Set(
        ["queued", "running", "failed", "succeeded", "awaiting_approval"]
          .map((state) => `operation.${state}`)
          .concat("approval.requested", "drift.found"),
      ),
    );
    expect(found.get("table public.audit_entries")?.length).toBeGreaterThan(30);
  });

  it("would be found, in whatever form they are", () => {
    const [value, unknown] = [secrets.plant("a control"), `pL4nt3d${"0".repeat(24)}`];
    const forms = (text: string) => [
      text,
      ...["", "a", "ab"].map((before) => Buffer.from(`${before}${text}after`).toString("base64url")),
      Buffer.from(text).toString("hex"),
    ];
    for (const form of forms(value)) expect(secrets.in(Buffer.from(`x ${form} y`))).toEqual(["a control"]);
    for (const form of forms(unknown)) expect(secrets.in(Buffer.from(`x ${form} y`))).toEqual([]);
    const where = (place: string) => new Set(found.get(place)?.flatMap((content) => secrets.in(content)));
    expect(where("table public.revisions")).toContain(webhook);
    expect(where("POST /v1/bootstrap")).toContain("the administrator's key");
  });

  it.each([
    ["in no table of the database", "table "],
    ["in no line of the log", "log"],
    ["in no event stream", "event stream"],
    ["in no message to a webhook", "webhook"],
    ["in no command line or environment of runners, engines and providers", "process"],
    ["in no file of the data folder, state and temporary files included", "file "],
    ["in no answer to a GET", "GET "],
    ["in no answer to a POST", "POST "],
    ["in no answer to a PUT", "PUT "],
    ["in no answer to a PATCH", "PATCH "],
    ["in no answer to a DELETE", "DELETE "],
  ])("are %s", (_, kind) => {
    expect(leaks(kind)).toEqual({});
  });
});
