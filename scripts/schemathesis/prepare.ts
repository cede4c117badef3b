import { policies } from "../../programs/policies/index.ts";
import { exampleSpecs } from "../programs/example-specs.ts";
import { type Client, json } from "../service/client.ts";

/** What the paths and bodies of requests can name: names and ids of what there is. */
export type Dictionaries = Readonly<Record<string, readonly string[]>>;

const team = "fuzz";
const account = "main";
const pipeline = "penguins";
const ignore = () => {};

interface Identified {
  readonly id: string;
}

/** Brings up one of everything that a path can name. */
export async function prepare(client: Client): Promise<Dictionaries> {
  for (const name of [team, "spare", "frugal"]) await client.send("POST", "/v1/teams", json({ name }));
  const operations = await provision(client);
  const keys = await Promise.all([
    client.send<Identified>("POST", "/v1/keys", json({ name: "fuzz", roles: ["auditor"] })),
    client.send<Identified>("POST", `/v1/teams/${team}/keys`, json({ name: "fuzz", roles: ["viewer"] })),
  ]);
  const subject = "user:ada";
  await client.send("PUT", `/v1/teams/${team}/members/${subject}`, json({ roles: ["developer"] }));
  const policy = policies[0]?.id ?? "";
  const exception = { reason: "It is looked at by hand", expiresAt: new Date(Date.now() + 86_400_000) };
  await client.send(
    "PUT",
    `/v1/teams/${team}/pipelines/${pipeline}/policy-exceptions/${policy}`,
    json(exception),
  );
  const webhook = await client.send<Identified>(
    "POST",
    `/v1/teams/${team}/webhooks`,
    json({ url: "https://hooks.example.com/fuzz", events: ["webhook.test"] }),
  );
  const delivery = await client.send<Identified>("POST", `/v1/teams/${team}/webhooks/${webhook.id}/test`);
  const rule = "by-hand";
  const ignored = { resource: "raw", path: "tags.*", owner: "ada@example.com", ...exception };
  await client.send("PUT", `/v1/teams/${team}/pipelines/${pipeline}/drift-rules/${rule}`, json(ignored));
  const resources = await client.get<{ items: Identified[] }>("/sandbox/v1/resources?limit=50");
  return {
    team: [team],
    spare: ["spare"],
    frugal: ["frugal"],
    account: [account],
    pipeline: [pipeline],
    policy: [policy],
    rule: [rule],
    subject: [subject],
    operation: operations.map(({ id }) => id),
    key: keys.map(({ id }) => id),
    webhook: [webhook.id],
    delivery: [delivery.id],
    resource: resources.items.map(({ id }) => id),
  };
}

async function provision(client: Client): Promise<readonly Identified[]> {
  const example = exampleSpecs().find(({ name }) => name === pipeline);
  const aws = json({ accountId: "123456789012", region: "eu-central-1" });
  const path = `/v1/teams/${team}/pipelines/${pipeline}`;
  return [
    await client.run("PUT", `/v1/teams/${team}/accounts/${account}`, aws, ignore),
    await client.run("PUT", path, json({ ...example?.spec, account }), ignore),
    await client.run("POST", `${path}/drift-checks`, undefined, ignore),
  ];
}
