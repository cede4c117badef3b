import { createHmac } from "node:crypto";
import type { JWTPayload } from "jose";
import pino from "pino";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { insertAdministratorKey } from "../../../src/access/administrator.ts";
import { deleteMember, putMember } from "../../../src/access/grant-store.ts";
import { type Identities, openIdentities } from "../../../src/access/identities.ts";
import { newKey } from "../../../src/access/key-format.ts";
import type { OidcConfig } from "../../../src/access/oidc.ts";
import { whoamiView } from "../../../src/access/schema.ts";
import type { AppError } from "../../../src/errors.ts";
import type { Document } from "../../support/builders.ts";
import { createTestDatabase, type TestDatabase } from "../../support/database.ts";
import { type Api, startApi } from "../api.ts";
import { type Issuer, startIssuer } from "./issuer.ts";

let database: TestDatabase;
let issuer: Issuer;
let identities: Identities;

beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

beforeEach(async () => {
  issuer = await startIssuer();
  identities = identitiesOf(issuer.config);
});

afterEach(async () => {
  vi.useRealTimers();
  await issuer.close();
  await database.pool.query("delete from grants where issuer is not null");
});

function identitiesOf(oidc: OidcConfig | undefined): Identities {
  const log = pino({ level: "silent" });
  return openIdentities({
    pool: database.pool,
    oidc,
    bootstrapToken: undefined,
    internalToken: "internal",
    log,
  });
}

/** Who the bearer is, or how they are refused. */
const whoami = (token: string, by = identities): Promise<Document> =>
  by.authenticate(token, "/v1/whoami").then(
    (principal) => ({ status: 200, body: whoamiView(principal) }),
    (error: AppError) => ({
      status: error.httpStatus,
      body: { code: error.code, detail: error.message },
      retryAfter: error.details.retryAfterSeconds,
    }),
  );
const withClaims = async (claims: JWTPayload) => whoami(await issuer.token(claims));
const now = () => Math.floor(Date.now() / 1_000);
const json = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");

/** Only the clock moves; timers and sockets go on as always. */
function moveClock(seconds: number): void {
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + seconds * 1_000 });
}

describe("an access token", () => {
  it("tells who sends the request, by the issuer's subject and the best name it has", async () => {
    expect((await withClaims({})).body).toEqual({
      subject: "user:ada",
      label: "ada",
      platform: [],
      teams: [],
    });
    const names = { name: "Ada", preferred_username: "al", email: "ada@example.com" };
    expect((await withClaims(names)).body.label).toBe("ada@example.com");
    expect((await withClaims({ ...names, email: "" })).body.label).toBe("al");
    expect((await withClaims({ name: "Ada" })).body.label).toBe("Ada");
  });

  it("has a name that breaks no line of a log, and doesn't run on", async () => {
    const { body } = await withClaims({ name: `Ada\n{"level":50}\u202e${"x".repeat(1_000)}` });
    expect(body.label).toBe(`Ada{"level":50}${"x".repeat(185)}`);
  });

  it("is good for one of several audiences", async () => {
    expect((await withClaims({ aud: ["billing", "aidlc"] })).status).toBe(200);
  });

  it.each(["RS256", "PS384", "ES512", "EdDSA"])("may be signed with %s", async (algorithm) => {
    await issuer.rotate({ algorithm });
    expect((await withClaims({})).status).toBe(200);
  });

  it.each<[string, (seconds: number) => JWTPayload]>([
    ["is for another audience", () => ({ aud: "billing" })],
    ["is for no audience", () => ({ aud: undefined as never })],
    ["is of another issuer", () => ({ iss: "https://login.example.com" })],
    ["is of the issuer's address with a slash", () => ({ iss: `${issuer.url}/` })],
    ["never expires", () => ({ exp: undefined as never })],
    ["doesn't say when it was made", () => ({ iat: undefined as never })],
    ["says when it was made in words", () => ({ iat: "now" as never })],
    ["has no subject", () => ({ sub: undefined as never })],
    ["has an empty subject", () => ({ sub: "" })],
    ["has a subject with a line break", () => ({ sub: "ada\nadmin" })],
    ["has a subject of 256 characters", () => ({ sub: "a".repeat(256) })],
    ["expired longer ago than clocks differ", (at) => ({ exp: at - 32 })],
    ["begins later than clocks differ", (at) => ({ nbf: at + 33 })],
    ["was made later than clocks differ", (at) => ({ iat: at + 33 })],
  ])("that %s is refused", async (_, claims) => {
    expect(await withClaims(claims(now()))).toMatchObject({ status: 401, body: { code: "unauthenticated" } });
  });

  it("is accepted while its times are off by no more than clocks may differ", async () => {
    const at = now();
    expect((await withClaims({ exp: at - 25 })).status).toBe(200);
    expect((await withClaims({ nbf: at + 25 })).status).toBe(200);
    expect((await withClaims({ iat: at + 25 })).status).toBe(200);
  });

  it("that has expired is told so", async () => {
    expect((await withClaims({ exp: now() - 60 })).body.detail).toContain("has expired");
  });
});

describe("a forged token", () => {
  it("without a signature is refused", async () => {
    const [, payload] = (await issuer.token()).split(".");
    for (const alg of ["none", "None", "NONE"])
      expect((await whoami(`${json({ alg, typ: "JWT" })}.${payload}.`)).status).toBe(401);
  });

  it("signed with the public key as a shared secret is refused", async () => {
    const [header, payload] = (await issuer.token()).split(".");
    const { kid } = JSON.parse(Buffer.from(header as string, "base64url").toString());
    const signed = `${json({ alg: "HS256", kid })}.${payload}`;
    const signature = createHmac("sha256", await issuer.publicKey())
      .update(signed)
      .digest("base64url");
    expect((await whoami(`${signed}.${signature}`)).status).toBe(401);
  });

  it("with other claims under a good signature is refused", async () => {
    const [header, payload, signature] = (await issuer.token()).split(".");
    const claims = JSON.parse(Buffer.from(payload as string, "base64url").toString());
    expect((await whoami(`${header}.${json({ ...claims, sub: "root" })}.${signature}`)).status).toBe(401);
  });

  it("signed with another key under the name of a good one is refused", async () => {
    await withClaims({});
    const { kid } = JSON.parse(
      Buffer.from((await issuer.token()).split(".")[0] as string, "base64url").toString(),
    );
    await issuer.rotate({ published: false });
    expect((await whoami(await issuer.token({}, { kid }))).status).toBe(401);
  });

  it.each(["a.b.c", "..", "eyJhbGciOiJSUzI1NiJ9.e30.", "a.b.c.d", "aidlc", "ä.ö.ü"])(
    "that is no token at all is refused: %s",
    async (token) => {
      expect((await whoami(encodeURI(token))).status).toBe(401);
    },
  );
});

describe("the issuer's keys", () => {
  it("are asked for once, not for every request", async () => {
    for (let request = 0; request < 5; request += 1) await withClaims({});
    expect(issuer.asked).toEqual(["/.well-known/openid-configuration", "/keys"]);
  });

  it("may change: a token with an unknown key makes the service look again", async () => {
    const old = await issuer.token();
    expect((await whoami(old)).status).toBe(200);
    await issuer.rotate();
    moveClock(31);
    expect((await withClaims({})).status).toBe(200);
    expect((await whoami(old)).status).toBe(401);
  });

  it("are asked for at most twice a minute, however many unknown keys tokens name", async () => {
    await withClaims({});
    await issuer.rotate({ published: false });
    for (let request = 0; request < 5; request += 1) expect((await withClaims({})).status).toBe(401);
    moveClock(31);
    for (let request = 0; request < 5; request += 1) expect((await withClaims({})).status).toBe(401);
    expect(issuer.asked.filter((path) => path === "/keys")).toHaveLength(2);
  });
});

describe("an issuer that can't be used", () => {
  const unavailable = { status: 503, body: { code: "unavailable" } };

  it("is the answer to its tokens, with a time to try again, while keys go on working", async () => {
    const key = newKey();
    await insertAdministratorKey(database.pool, key, { name: "ops", createdBy: "service" });
    const token = await issuer.token();
    await issuer.close();
    const answer = await whoami(token);
    expect(answer).toMatchObject(unavailable);
    expect(answer.retryAfter).toBeGreaterThan(0);
    expect(answer.body.detail).not.toContain("127.0.0.1");
    expect((await whoami(key.text)).body).toMatchObject({ label: "ops", platform: ["admin"] });
  });

  it("is left alone for a moment, and used again once it is back", async () => {
    issuer.failure = 500;
    for (let request = 0; request < 5; request += 1) expect(await withClaims({})).toMatchObject(unavailable);
    expect(issuer.asked).toHaveLength(1);
    issuer.failure = undefined;
    moveClock(6);
    expect((await withClaims({})).status).toBe(200);
  });

  it("is left alone for a moment by tokens with unknown keys too", async () => {
    await withClaims({});
    await issuer.rotate({ published: false });
    issuer.failure = 500;
    moveClock(31);
    for (let request = 0; request < 5; request += 1) expect(await withClaims({})).toMatchObject(unavailable);
    expect(issuer.asked.filter((path) => path === "/keys")).toHaveLength(2);
  });

  it("doesn't end what is known of its keys", async () => {
    await withClaims({});
    const token = await issuer.token();
    await issuer.close();
    expect((await whoami(token)).status).toBe(200);
  });

  it.each<[string, () => object]>([
    ["is of another issuer", () => ({ issuer: "https://login.example.com" })],
    ["writes the issuer in another way", () => ({ issuer: `${issuer.url}/` })],
    [
      "has keys that come by plain HTTP from elsewhere",
      () => ({ jwks_uri: `${issuer.url.replace("127.0.0.1", "0.0.0.0")}/keys` }),
    ],
    ["has keys in a file", () => ({ jwks_uri: "file:///etc/passwd" })],
    ["names no keys", () => ({ jwks_uri: 1 })],
  ])("is one whose discovery document %s", async (_, discovery) => {
    issuer.discovery = discovery();
    expect(await withClaims({})).toMatchObject(unavailable);
    expect(await withClaims({})).toMatchObject(unavailable);
    expect(issuer.asked).toEqual(["/.well-known/openid-configuration"]);
  });
});

describe("what is granted to a subject", () => {
  const grant = (roles: readonly ["admin"] | readonly ["auditor"]) =>
    putMember(
      database.pool,
      { issuer: issuer.url, team: null },
      { subject: "user:ada", roles, grantedBy: "service" },
    );

  it("is theirs with their next request, and no longer with the next after it was taken", async () => {
    await grant(["auditor"]);
    expect((await withClaims({})).body.platform).toEqual(["auditor"]);
    await deleteMember(database.pool, { issuer: issuer.url, team: null }, "user:ada");
    expect((await withClaims({})).body.platform).toEqual([]);
  });

  it("isn't inherited by whom another issuer calls the same", async () => {
    await grant(["admin"]);
    const other = await startIssuer();
    try {
      const theirs = await whoami(await other.token(), identitiesOf(other.config));
      expect(theirs.body).toMatchObject({ subject: "user:ada", platform: [] });
    } finally {
      await other.close();
    }
  });

  it("isn't shared with a key whose id is the subject", async () => {
    const owner = { name: "ops", createdBy: "service" };
    const { id } = await insertAdministratorKey(database.pool, newKey(), owner);
    expect((await withClaims({ sub: id })).body.platform).toEqual([]);
    expect((await withClaims({ sub: `key:${id}` })).body.platform).toEqual([]);
  });
});

describe("without an issuer", () => {
  it("no access token is accepted", async () => {
    expect((await whoami(await issuer.token(), identitiesOf(undefined))).status).toBe(401);
  });
});

describe("over HTTP", () => {
  let api: Api;
  let provider: Issuer;

  beforeAll(async () => {
    provider = await startIssuer();
    api = await startApi({ oidc: provider.config });
  });
  afterAll(async () => {
    await api.close();
    await provider.close();
  });

  it("a good token opens, a bad one is answered 401, and 503 while the issuer can't be asked", async () => {
    const ask = (token: string) =>
      api.send("GET", "/v1/whoami", { headers: { authorization: `Bearer ${token}` } });
    const token = await provider.token();
    provider.failure = 502;
    const answer = await ask(token);
    expect(answer).toMatchObject({ status: 503, body: { code: "unavailable" } });
    expect(Number(answer.headers["retry-after"])).toBeGreaterThan(0);
    provider.failure = undefined;
    moveClock(6);
    expect(await ask(token)).toMatchObject({ status: 200, body: { subject: "user:ada" } });
    expect(await ask(`${token}x`)).toMatchObject({ status: 401, body: { code: "unauthenticated" } });
    expect(JSON.stringify(api.logged)).not.toContain(token);
  });
});
