import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { foundationOwner } from "../../../src/accounts/owner.ts";
import type { RunOutcome } from "../../../src/engine/protocol.ts";
import { findOperation, type Operation } from "../../../src/operations/store.ts";
import { inTransaction } from "../../../src/postgres/pool.ts";
import { awsAccount, uniqueName } from "../../support/builders.ts";
import { type Answer, type Api, startApi } from "../api.ts";
import { cloudControl, type Inventory } from "./cloud-control.ts";

let api: Api;
let next = 200_000_000_000;

beforeAll(async () => {
  api = await startApi();
});

afterAll(() => api.close());

const ownerIn = (inventory: Inventory = {}) =>
  foundationOwner(api.database.pool, () => cloudControl(inventory));
const stored = async ({ body }: Answer) => (await findOperation(api.database.pool, body.id)) as Operation;
const end = (operation: Operation, state: RunOutcome["state"]) =>
  inTransaction(api.database.pool, (client) =>
    ownerIn().onEnded(client, operation, {
      state,
      changes: {},
      steps: [],
      stackExists: true,
    }),
  );

async function registered(aws?: object) {
  const team = uniqueName("team");
  await api.send("POST", "/v1/teams", { body: { name: team } });
  next += 1;
  const body = aws ?? awsAccount({ accountId: String(next), roleArn: `arn:aws:iam::${next}:role/x` });
  const url = `/v1/teams/${team}/accounts/main`;
  return { url, aws: body, team, operation: await stored(await api.send("PUT", url, { body })) };
}

const foundation = async (url: string) => (await api.send("GET", url)).body.foundation.state;

describe("the account of a foundation's operation", () => {
  it("is the registering team's, with the role and the team's own external id", async () => {
    const { operation, team, aws } = await registered();
    const { body } = await api.send("GET", `/v1/teams/${team}`);
    const { foundation: _, ...given } = aws;
    const account = await ownerIn().accountOf(operation);
    expect(account).toMatchObject({ team, name: "main", aws: given, externalId: body.externalId });
    const other = await registered({ ...aws });
    expect((await ownerIn().accountOf(other.operation)).externalId).not.toBe(body.externalId);
  });
});

describe("the program of a foundation", () => {
  it("takes the account and the settings as they are registered now", async () => {
    const { operation, url, aws } = await registered();
    const changed = { ...aws, roleArn: `arn:aws:iam::${aws.accountId}:role/another` };
    const settings = { profile: "production", cidr: "10.70.0.0/16" };
    await api.send("PUT", url, { body: { ...changed, foundation: settings } });
    expect(await ownerIn().programFor(operation)).toEqual({
      name: "foundation",
      input: {
        account: changed,
        profile: "production",
        securityServices: false,
        cidr: "10.70.0.0/16",
        existing: {},
        dataOnDestroy: "retain",
      },
    });
  });

  it("uses what the account has already as it is, and shows it with the moment it was found", async () => {
    const { operation, url } = await registered();
    const inventory = {
      "AWS::Config::ConfigurationRecorder": { default: {} },
      "AWS::Config::DeliveryChannel": { error: "UnsupportedActionException" },
    };
    const { input } = await ownerIn(inventory).programFor(operation);
    expect(input).toMatchObject({ existing: { configRecorder: "default" } });
    const { body } = await api.send("GET", `${url}/foundation`);
    expect(body).toMatchObject({
      adopted: [{ type: "configRecorder", id: "default", since: expect.any(String) }],
      unlisted: ["AWS::Config::DeliveryChannel"],
    });
    await ownerIn(inventory).programFor(operation);
    expect((await api.send("GET", `${url}/foundation`)).body.adopted).toEqual(body.adopted);
    await ownerIn({}).programFor(operation);
    expect((await api.send("GET", `${url}/foundation`)).body).toMatchObject({ adopted: [], unlisted: [] });
  });

  it("of a destroy takes what the last look found, and looks no more", async () => {
    const { operation, url, team } = await registered();
    await ownerIn({ "AWS::Config::ConfigurationRecorder": { default: {} } }).programFor(operation);
    await api.provision(team, "main");
    const destroy = await stored(await api.send("DELETE", url));
    const inventory = { "AWS::Config::ConfigurationRecorder": { error: "AccessDeniedException" } };
    expect((await ownerIn(inventory).programFor(destroy)).input).toMatchObject({
      existing: { configRecorder: "default" },
    });
  });
});

describe("the end of a foundation's operation", () => {
  it("makes it provisioned for everybody who shares it, once an update has succeeded", async () => {
    const { operation, url, aws } = await registered();
    const other = await registered(aws);
    await end(operation, "succeeded");
    expect(await foundation(url)).toBe("provisioned");
    expect(await foundation(other.url)).toBe("provisioned");
  });

  it.each(["failed", "cancelled", "needs_repair"] as const)(
    "leaves it as it was when the update %s",
    async (state) => {
      const { operation, url } = await registered();
      await end(operation, state);
      expect(await foundation(url)).toBe("not_provisioned");
      await end(operation, "succeeded");
      await end(operation, state);
      expect(await foundation(url)).toBe("provisioned");
    },
  );

  it("removes the account once its foundation is destroyed, and it can be registered anew", async () => {
    const { operation, url, aws, team } = await registered();
    await end(operation, "succeeded");
    await api.provision(team, "main");
    const destroy = await stored(await api.send("DELETE", url));
    await end(destroy, "succeeded");
    await api.database.pool.query("update operations set state = 'succeeded' where id = $1", [destroy.id]);
    expect((await api.send("GET", url)).status).toBe(404);
    expect((await api.send("PUT", url, { body: aws })).status).toBe(202);
    expect(await foundation(url)).toBe("not_provisioned");
  });

  it("leaves the account when its foundation could not be destroyed", async () => {
    const { operation, url, team } = await registered();
    await end(operation, "succeeded");
    await api.provision(team, "main");
    await end(await stored(await api.send("DELETE", url)), "failed");
    expect((await api.send("GET", url)).status).toBe(200);
  });

  it("puts no pipeline on a foundation that was destroyed in part", async () => {
    const { operation, url, team } = await registered();
    await end(operation, "succeeded");
    await api.provision(team, "main");
    const destroy = await stored(await api.send("DELETE", url));
    await end(destroy, "failed");
    await api.database.pool.query("update operations set state = 'failed' where id = $1", [destroy.id]);
    expect(await foundation(url)).toBe("not_provisioned");
  });
});
