import { fromHttp } from "@aws-sdk/credential-providers";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type CredentialsAddress, CredentialsEndpoint } from "../../../src/aws/credentials-endpoint.ts";

const session = {
  accessKeyId: "ASIAIOSFODNN7EXAMPLE",
  secretAccessKey: "secret-of-the-session",
  sessionToken: "token-of-the-session",
  expiration: new Date(Date.now() + 3_600_000),
};

let endpoint: CredentialsEndpoint;
const failures: unknown[] = [];

beforeEach(async () => {
  failures.length = 0;
  endpoint = await CredentialsEndpoint.start((error) => failures.push(error));
});
afterEach(() => endpoint.close());

const ask = ({ url, token }: CredentialsAddress) => fetch(url, { headers: { authorization: token } });

describe("the credentials endpoint", () => {
  it("gives a session to AWS's SDKs, where and as the variables of containers say", async () => {
    const { url, token } = endpoint.grant(async () => session);
    expect(new URL(url).hostname).toBe("127.0.0.1");
    const found = await fromHttp({
      awsContainerCredentialsFullUri: url,
      awsContainerAuthorizationToken: token,
    })();
    expect(found).toMatchObject(session);
  });

  it("asks its source again for every answer, so that a renewed session arrives", async () => {
    let count = 0;
    const address = endpoint.grant(async () => ({ ...session, accessKeyId: `KEY${++count}` }));
    const keys = [await ask(address), await ask(address)].map(
      async (answer) => ((await answer.json()) as { AccessKeyId: string }).AccessKeyId,
    );
    expect(await Promise.all(keys)).toEqual(["KEY1", "KEY2"]);
  });

  it("refuses whoever doesn't bring the run's own token", async () => {
    const address = endpoint.grant(async () => session);
    const other = endpoint.grant(async () => session);
    const tokens = [undefined, "", "x", other.token, `Bearer ${address.token}`, address.token.slice(0, -1)];
    for (const token of tokens) {
      const headers = token === undefined ? {} : { authorization: token };
      const refused = await fetch(address.url, { headers });
      expect(refused.status).toBe(401);
      expect(await refused.text()).not.toContain("secret");
    }
  });

  it("knows nobody any more whose run has ended, and nobody else's", async () => {
    const { revoke, ...address } = endpoint.grant(async () => session);
    const other = endpoint.grant(async () => session);
    revoke();
    expect((await ask(address)).status).toBe(404);
    expect((await ask(other)).status).toBe(200);
  });

  it("answers only what it is for", async () => {
    const { url, token } = endpoint.grant(async () => session);
    const headers = { authorization: token };
    expect((await fetch(url, { method: "POST", headers })).status).toBe(404);
    expect((await fetch(new URL("/", url), { headers })).status).toBe(404);
    expect((await ask({ url, token })).headers.get("cache-control")).toBe("no-store");
  });

  it("tells the service, and not the run, why there is no session", async () => {
    const reason = new Error("the reason");
    const answer = await ask(endpoint.grant(() => Promise.reject(reason)));
    expect(answer.status).toBe(503);
    expect(await answer.text()).not.toContain("the reason");
    expect(failures).toEqual([reason]);
  });

  it("is gone after it was closed", async () => {
    const address = endpoint.grant(async () => session);
    await endpoint.close();
    await expect(ask(address)).rejects.toThrow();
  });
});
