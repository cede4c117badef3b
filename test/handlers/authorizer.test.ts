import { generateKeyPair, SignJWT } from "jose";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createHandler } from "../../handlers/authorizer/handler.ts";
import { authorizer } from "../../programs/functions/authorizer.ts";
import { audience, type Issuer, startIssuer } from "../src/access/issuer.ts";

let issuer: Issuer;
let authorize: ReturnType<typeof createHandler>;

const environment = () => ({
  AIDLC_METRIC_NAMESPACE: "AIDLC/research/penguins",
  AIDLC_JWT_ISSUER: issuer.url,
  AIDLC_JWT_AUDIENCE: audience,
});

beforeEach(async () => {
  issuer = await startIssuer();
  authorize = createHandler(environment());
});
afterEach(async () => {
  vi.restoreAllMocks();
  await issuer.close();
});

const API = "arn:aws:execute-api:eu-west-1:123456789012:abcdef1234/live";

/** https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-lambda-authorizer-input.html */
const asked = (authorizationToken: string) => ({
  type: "TOKEN",
  authorizationToken,
  methodArn: `${API}/POST/predictions`,
});
const bearer = async (...token: Parameters<Issuer["token"]>) =>
  asked(`Bearer ${await issuer.token(...token)}`);
const nowSeconds = () => Math.floor(Date.now() / 1000);

const expectRefused = (event: unknown) => expect(authorize(event)).rejects.toThrow(/^Unauthorized$/);

describe("a token of the issuer for the audience", () => {
  it("opens every method of the API's stage to its subject", async () => {
    expect(await authorize(await bearer())).toEqual({
      principalId: "ada",
      policyDocument: {
        Version: "2012-10-17",
        Statement: [{ Effect: "Allow", Action: "execute-api:Invoke", Resource: `${API}/*` }],
      },
      context: { issuer: issuer.url, subject: "ada" },
    });
  });

  it.each(["RS256", "PS384", "ES512", "EdDSA"])("may be signed by %s", async (algorithm) => {
    await issuer.rotate({ algorithm });
    expect(await authorize(await bearer())).toMatchObject({ principalId: "ada" });
  });

  it("is good for half a minute after it has expired, and no longer", async () => {
    expect(await authorize(await bearer({ exp: nowSeconds() - 20 }))).toMatchObject({ principalId: "ada" });
    await expectRefused(await bearer({ exp: nowSeconds() - 40 }));
  });

  it("needs the issuer's keys once only", async () => {
    for (let turn = 0; turn < 3; turn++) await authorize(await bearer());
    expect(issuer.asked).toEqual(["/.well-known/openid-configuration", "/keys"]);
  });
});

describe("refused is a token", () => {
  it.each([
    ["of another issuer", { iss: "https://elsewhere.example.com" }],
    ["for another audience", { aud: "others" }],
    ["that is not in force yet", { nbf: Math.floor(Date.now() / 1000) + 3600 }],
    ["that never expires", { exp: undefined as never }],
    ["without a subject", { sub: undefined as never }],
    ["with a subject that breaks lines", { sub: "ada\nroot" }],
  ])("%s", async (_, claims) => {
    await expectRefused(await bearer(claims));
  });

  it.each(["Bearer", "Bearer a.b", "Basic a.b.c", "bearer a.b.c", "Bearer a.b.c d"])(
    "that is no bearer token: %s",
    async (text) => {
      await expectRefused(asked(text));
      expect(issuer.asked).toEqual([]);
    },
  );

  it("that was changed", async () => {
    const token = await issuer.token();
    const [header, , signature] = token.split(".");
    const payload = Buffer.from(
      JSON.stringify({ iss: issuer.url, aud: audience, sub: "root", exp: nowSeconds() + 300 }),
    ).toString("base64url");
    await expectRefused(asked(`Bearer ${header}.${payload}.${signature}`));
  });

  it("that nobody signed, or who knows the public key", async () => {
    const claims = { iss: issuer.url, aud: audience, sub: "ada", exp: nowSeconds() + 300 };
    const none = [{ alg: "none" }, claims].map((part) =>
      Buffer.from(JSON.stringify(part)).toString("base64url"),
    );
    await expectRefused(asked(`Bearer ${none.join(".")}.`));
    const forged = await new SignJWT(claims)
      .setProtectedHeader({ alg: "HS256", kid: "key-1" })
      .sign(new TextEncoder().encode(await issuer.publicKey()));
    await expectRefused(asked(`Bearer ${forged}`));
  });

  it("that another key signed under a known key's name", async () => {
    const [header = ""] = (await issuer.token()).split(".");
    const { kid } = JSON.parse(Buffer.from(header, "base64url").toString());
    const { privateKey } = await generateKeyPair("ES256");
    const forged = await new SignJWT({ iss: issuer.url, aud: audience, sub: "ada", exp: nowSeconds() + 300 })
      .setProtectedHeader({ alg: "ES256", kid })
      .sign(privateKey);
    await expectRefused(asked(`Bearer ${forged}`));
  });

  it("of a key that is not published, without asking for each", async () => {
    await authorize(await bearer());
    await issuer.rotate({ published: false });
    for (let turn = 0; turn < 5; turn++) await expectRefused(await bearer());
    expect(issuer.asked.filter((path) => path === "/keys").length).toBeLessThanOrEqual(2);
  });
});

describe("where the issuer can't be asked", () => {
  it.each([
    ["it fails", () => Object.assign(issuer, { failure: 500 })],
    [
      "it says to be another",
      () => Object.assign(issuer, { discovery: { issuer: "https://elsewhere.example.com" } }),
    ],
    [
      "its keys come another way",
      () => Object.assign(issuer, { discovery: { jwks_uri: "ftp://127.0.0.1/keys" } }),
    ],
  ])("nobody is refused for good: %s", async (_, spoil) => {
    const event = await bearer();
    spoil();
    await expect(authorize(event)).rejects.toMatchObject({ name: "IssuerUnavailable" });
    Object.assign(issuer, { failure: undefined, discovery: {} });
    expect(await authorize(event)).toMatchObject({ principalId: "ada" });
  });
});

it("says nothing of a token in its logs", async () => {
  const said: string[] = [];
  for (const level of ["log", "info", "warn", "error", "debug"] as const) {
    vi.spyOn(console, level).mockImplementation((...texts) => void said.push(texts.join(" ")));
  }
  for (const stream of [process.stdout, process.stderr]) {
    vi.spyOn(stream, "write").mockImplementation((text) => Boolean(said.push(String(text))));
  }
  const token = await issuer.token({ sub: "ada lovelace", aud: "others" });
  await expectRefused(asked(`Bearer ${token}`));
  issuer.failure = 500;
  const fresh = createHandler(environment());
  await expect(fresh(asked(`Bearer ${token}`))).rejects.toThrow();
  expect(said.join("\n")).toMatch(/A token was refused.*The issuer can't be asked/s);
  for (const part of [...token.split("."), "ada lovelace"]) expect(said.join("\n")).not.toContain(part);
});

it("needs nothing of AWS, so it is granted nothing", () => {
  expect(authorizer.grants({} as never)).toEqual([]);
});
