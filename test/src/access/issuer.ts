import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { type CryptoKey, exportJWK, exportSPKI, generateKeyPair, type JWTPayload, SignJWT } from "jose";
import type { OidcConfig } from "../../../src/access/oidc.ts";
import type { Document } from "../../support/builders.ts";

interface SigningKey {
  readonly kid: string;
  readonly algorithm: string;
  readonly privateKey: CryptoKey;
  readonly publicKey: CryptoKey;
}

/** An OpenID Connect provider on loopback, as far as a verifier of access tokens meets one. */
export interface Issuer {
  readonly url: string;
  readonly config: OidcConfig;
  /** Paths that were asked for, in order. */
  readonly asked: readonly string[];
  /** What the discovery document says besides, or instead. */
  discovery: Document;
  /** Answers everything with this status. */
  failure: number | undefined;
  /** Signs with a new key, which is the only one that is published from now on, or isn't published at all. */
  rotate(options?: { readonly algorithm?: string; readonly published?: boolean }): Promise<void>;
  /** An access token for the audience `aidlc`, as good as can be but for `claims` and `header`. */
  token(claims?: JWTPayload, header?: { readonly alg?: string; readonly kid?: string }): Promise<string>;
  /** The public key as PEM, which a forger also has. */
  publicKey(): Promise<string>;
  close(): Promise<void>;
}

export const audience = "aidlc";
export const clockSkewSeconds = 30;

export async function startIssuer(): Promise<Issuer> {
  const asked: string[] = [];
  let key = await signingKey("ES256");
  let published = [key];
  const server = createServer((request, response) => {
    asked.push(request.url ?? "");
    response.setHeader("content-type", "application/json");
    if (issuer.failure !== undefined) {
      response.writeHead(issuer.failure).end("{}");
      return;
    }
    void answerTo(request.url).then((answer) => response.end(JSON.stringify(answer)));
  });
  const answerTo = async (path: string | undefined) => {
    if (path !== "/keys") return { issuer: issuer.url, jwks_uri: `${issuer.url}/keys`, ...issuer.discovery };
    const keys = published.map(async ({ kid, algorithm, publicKey }) => ({
      ...(await exportJWK(publicKey)),
      kid,
      alg: algorithm,
      use: "sig",
    }));
    return { keys: await Promise.all(keys) };
  };
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const issuer: Issuer = {
    url,
    config: { issuer: url, audience, clockSkewSeconds },
    asked,
    discovery: {},
    failure: undefined,
    rotate: async ({ algorithm = "ES256", published: isPublished = true } = {}) => {
      key = await signingKey(algorithm);
      if (isPublished) published = [key];
    },
    token: (claims = {}, header = {}) => {
      const now = Math.floor(Date.now() / 1_000);
      return new SignJWT({ iss: url, aud: audience, sub: "ada", iat: now, exp: now + 300, ...claims })
        .setProtectedHeader({ alg: key.algorithm, kid: key.kid, typ: "at+jwt", ...header })
        .sign(key.privateKey);
    },
    publicKey: () => exportSPKI(key.publicKey),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return issuer;
}

let keys = 0;

async function signingKey(algorithm: string): Promise<SigningKey> {
  keys += 1;
  return { kid: `key-${keys}`, algorithm, ...(await generateKeyPair(algorithm, { extractable: true })) };
}
