import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { unorderedReferences } from "../support/references.ts";
import { ended, startTestService, type TestResponse, type TestService } from "../support/service.ts";

type Item = TestResponse["body"];

const region = "eu-central-1";
let service: TestService;

beforeAll(async () => {
  service = await startTestService();
  await send("POST", "/v1/teams", { name: "birds" });
});

afterAll(() => service?.remove());

const send = (method: string, path: string, body?: unknown) => service.request(method, path, body);
const url = (name: string) => `/v1/teams/birds/accounts/${name}`;
const foundation = async (name: string) => (await send("GET", `${url(name)}/foundation`)).body;
const completed = async (method: string, path: string, body?: unknown) => {
  const operation = await ended(service, await send(method, path, body));
  expect(operation).toMatchObject({ state: "succeeded" });
  return operation;
};

const register = (name: string, accountId: string, settings: object) =>
  completed("PUT", url(name), {
    accountId,
    region,
    roleArn: `arn:aws:iam::${accountId}:role/aidlc-provisioner`,
    foundation: settings,
  });

async function inventory(account: string): Promise<Item[]> {
  const items: Item[] = [];
  for (let cursor = ""; ; ) {
    const { body } = await send("GET", `/sandbox/v1/resources?account=${account}&limit=200${cursor}`);
    items.push(...body.items);
    if (body.nextCursor === undefined) return items;
    cursor = `&cursor=${body.nextCursor}`;
  }
}

const ofType = (items: readonly Item[], type: string) => items.filter((item) => item.type === `aws:${type}`);
const byHand = async (account: string, type: string, inputs: object): Promise<Item> => {
  const { status, body } = await send("POST", "/sandbox/v1/resources", {
    type: `aws:${type}`,
    account,
    region,
    inputs,
  });
  expect(status, JSON.stringify(body)).toBe(201);
  return body;
};

describe.each([
  ["learning", "111122220001", 75],
  ["production", "111122220002", 105],
] as const)("a %s foundation on the real engine", (profile, accountId, least) => {
  it("comes up whole, with every reference waited for, and changes nothing a second time", async () => {
    await register(profile, accountId, { profile });
    const { resources, outputs, state, unlisted } = await foundation(profile);
    expect({ state, profile: outputs.profile }).toEqual({ state: "provisioned", profile });
    expect(resources).toBeGreaterThan(least);
    expect(unlisted).not.toContain("AWS::Config::ConfigurationRecorder");
    const { body } = await send("GET", `/v1/operations?limit=1`);
    expect(body.items[0].state).toBe("succeeded");
    expect(await unordered(profile)).toEqual([]);

    const again = await register(profile, accountId, { profile });
    expect(Object.keys(again.result.changes)).toEqual(["same"]);
  });

  it("leaves no more than records, keys, defaults and what all regions share, and with its data only the latter", async () => {
    await completed("DELETE", `${url(profile)}?data=delete`);
    const left = (await inventory(accountId)).filter(({ deletionDueAt }) => deletionDueAt === undefined);
    expect(left.map(({ type }) => type).sort()).toEqual([
      "aws:iam/serviceLinkedRole:ServiceLinkedRole",
      "aws:lakeformation/dataLakeSettings:DataLakeSettings",
    ]);
  });
});

async function unordered(name: string): Promise<string[]> {
  const { rows } = await query(
    `select r.urn, r.type, r.aws_id as id, r.dependencies, r.inputs, r.outputs from resources r
     join foundations f using (stack_id) join accounts a using (aws_account_id, region) where a.name = $1`,
    [name],
  );
  return unorderedReferences(rows as Parameters<typeof unorderedReferences>[0]);
}

async function query(text: string, values: unknown[]) {
  const { openPool } = await import("../../src/postgres/pool.ts");
  const pool = openPool(service.databaseUrl, 1);
  try {
    return await pool.query(text, values);
  } finally {
    await pool.end();
  }
}

describe("an account that somebody else set up", () => {
  const account = "111122220003";
  const name = "settled";
  const recorder = "cfg/recorder:Recorder";
  const detector = "guardduty/detector:Detector";

  it("is used as it is, and what it lacks is added", async () => {
    await byHand(account, "iam/role:Role", {
      name: "config",
      assumeRolePolicy: JSON.stringify({
        Version: "2012-10-17",
        Statement: [
          { Effect: "Allow", Principal: { Service: "config.amazonaws.com" }, Action: "sts:AssumeRole" },
        ],
      }),
    });
    await byHand(account, recorder, { name: "default", roleArn: `arn:aws:iam::${account}:role/config` });
    const theirs = await byHand(account, detector, { enable: true });
    await register(name, account, { securityServices: true });

    const { adopted, outputs } = await foundation(name);
    expect(adopted).toEqual([
      { type: "configRecorder", id: "default", since: expect.any(String) },
      { type: "guardDuty", id: theirs.awsId, since: expect.any(String) },
    ]);
    const items = await inventory(account);
    expect(ofType(items, recorder).map(({ awsId }) => awsId)).toEqual(["default"]);
    expect(ofType(items, detector)).toHaveLength(1);
    expect(ofType(items, "securityhub/account:Account")).toHaveLength(1);
    expect(outputs.trailArn).toBe(`arn:aws:cloudtrail:${region}:${account}:trail/aidlc-${region}`);
  });

  it("is not changed by another update, and what is the foundation's own stays that", async () => {
    const before = await foundation(name);
    const again = await register(name, account, { securityServices: true });
    expect(Object.keys(again.result.changes)).toEqual(["same"]);
    expect((await foundation(name)).adopted).toEqual(before.adopted);
  });

  it("gets back what it deleted of the foundation's, and keeps what it made itself meanwhile", async () => {
    const items = await inventory(account);
    const [hub] = ofType(items, "securityhub/account:Account");
    for (const standard of ofType(items, "securityhub/standardsSubscription:StandardsSubscription"))
      await send("DELETE", `/sandbox/v1/resources/${standard.id}`);
    expect((await send("DELETE", `/sandbox/v1/resources/${hub.id}`)).status).toBe(204);
    const [analyzer] = ofType(items, "accessanalyzer/analyzer:Analyzer");
    await send("DELETE", `/sandbox/v1/resources/${analyzer.id}`);
    await byHand(account, "accessanalyzer/analyzer:Analyzer", { analyzerName: "theirs", type: "ACCOUNT" });

    await completed("POST", `${url(name)}/foundation/reconciliations`);
    const after = await inventory(account);
    expect(ofType(after, "securityhub/account:Account")).toHaveLength(1);
    expect(
      ofType(after, "accessanalyzer/analyzer:Analyzer").map(({ inputs }) => inputs.analyzerName),
    ).toEqual(["theirs"]);
    expect((await foundation(name)).adopted.map(({ type }: Item) => type)).toEqual([
      "accessAnalyzer",
      "configRecorder",
      "guardDuty",
    ]);
  });

  it("has all of that when the foundation is gone", async () => {
    await completed("DELETE", `${url(name)}?data=delete`);
    const items = await inventory(account);
    expect(ofType(items, recorder)).toHaveLength(1);
    expect(ofType(items, detector)).toHaveLength(1);
    expect(ofType(items, "accessanalyzer/analyzer:Analyzer")).toHaveLength(1);
    expect(ofType(items, "cfg/rule:Rule")).toEqual([]);
  });
});

describe("a foundation that changes its profile", () => {
  const account = "111122220004";
  const name = "moving";
  const kept = /^aws:(ec2\/vpc:|ec2\/subnet:|s3\/bucket:|kms\/key:|cfg\/recorder:)/;

  it("keeps its network, buckets and keys on the way to production and back", async () => {
    await register(name, account, { profile: "learning" });
    const ids = async () =>
      (await inventory(account))
        .filter(({ type, inputs }) => kept.test(type) && !/10\.64\.(128|192)/.test(String(inputs.cidrBlock)))
        .map(({ type, awsId }) => `${type} ${awsId}`)
        .sort();
    const before = await ids();
    await register(name, account, { profile: "production" });
    expect(await ids()).toEqual(before);
    expect(ofType(await inventory(account), "ec2/vpcEndpoint:VpcEndpoint").length).toBeGreaterThan(10);
    await register(name, account, { profile: "learning" });
    expect(await ids()).toEqual(before);
    expect(ofType(await inventory(account), "ec2/vpcEndpoint:VpcEndpoint")).toHaveLength(1);
  });
});

describe("two regions of one account", () => {
  it("each have a foundation, and share what AWS has once for all regions", async () => {
    const account = "111122220005";
    await register("here", account, {});
    await completed("PUT", url("there"), { accountId: account, region: "eu-west-1" });
    const items = await inventory(account);
    expect(ofType(items, "iam/serviceLinkedRole:ServiceLinkedRole")).toHaveLength(1);
    expect(ofType(items, "cfg/recorder:Recorder")).toHaveLength(2);
  });
});
