import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { foundationOwner } from "../../../src/accounts/owner.ts";
import type { RunOutcome } from "../../../src/engine/protocol.ts";
import { findOperation, type Operation } from "../../../src/operations/store.ts";
import { inTransaction } from "../../../src/postgres/pool.ts";
import { awsAccount, uniqueName } from "../../support/builders.ts";
import { type Answer, type Api, startApi } from "../api.ts";

let api: Api;
let next = 200_000_000_000;

beforeAll(async () => {
  api = await startApi();
});

afterAll(() => api.close());

const stored = async ({ body }: Answer) => (await findOperation(api.database.pool, body.id)) as Operation;
const end = (operation: Operation, state: RunOutcome["state"]) =>
  inTransaction(api.database.pool, (client) =>
    foundationOwner(api.database.pool).onEnded(client, operation, {
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

const foundation = async (url: string) => (await api.send("GET", url)).body.foundation;

describe("the program of a foundation", () => {
  it("takes the account as it is registered now", async () => {
    const { operation, url, aws } = await registered();
    const changed = { ...aws, externalId: "another" };
    await api.send("PUT", url, { body: changed });
    expect(await foundationOwner(api.database.pool).programFor(operation)).toEqual({
      name: "foundation",
      input: { account: changed, dataOnDestroy: "retain" },
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
