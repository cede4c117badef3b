import { createRemoteJWKSet, customFetch, errors, type JWTVerifyGetKey, jwtVerify } from "jose";
import Type from "typebox";
import { Value } from "typebox/value";

/** Asymmetric ones only: whoever can check a symmetric signature can also make one. */
const ALGORITHMS = [
  ...["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"],
  ...["ES256", "ES384", "ES512", "EdDSA", "Ed25519"],
];
/** Discovery and keys one after the other stay within the function's ten seconds. */
const TIMEOUT_MS = 4000;
/** Tokens with invented key ids must not make the function flood the issuer. */
const COOLDOWN_MS = 30_000;
const KEYS_MAX_AGE_MS = 10 * 60_000;
const CLOCK_TOLERANCE_SECONDS = 30;

const Discovery = Type.Object({ issuer: Type.String(), jwks_uri: Type.String() });

/** OpenID Connect Core, section 2: at most 255 ASCII characters. */
const SUBJECT = /^[\x20-\x7e]{1,255}$/;

/** A token that is not good. `code` says why and holds nothing of it. */
export class TokenRefused extends Error {
  override readonly name = "TokenRefused";
  readonly code: string;

  constructor(code: string, options?: ErrorOptions) {
    super(`The token is refused: ${code}`, options);
    this.code = code;
  }
}

/** The issuer can't be asked, or answers what can't be used: no token's fault. */
export class IssuerUnavailable extends Error {
  override readonly name = "IssuerUnavailable";
}

async function ask(url: string | URL, init: RequestInit = {}): Promise<Response> {
  try {
    const response = await fetch(url, {
      ...init,
      redirect: "error",
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    if (response.status === 200) return response;
    await response.body?.cancel();
    throw new Error(`${url} was answered with ${response.status}`);
  } catch (cause) {
    throw new IssuerUnavailable("The issuer can't be reached", { cause });
  }
}

/** https://openid.net/specs/openid-connect-discovery-1_0.html, section 4 */
async function discover(issuer: string): Promise<JWTVerifyGetKey> {
  const response = await ask(`${issuer.replace(/\/$/, "")}/.well-known/openid-configuration`);
  const document: unknown = await response.json().catch(() => undefined);
  if (!Value.Check(Discovery, document) || document.issuer !== issuer) {
    throw new IssuerUnavailable(`The discovery document is none of issuer "${issuer}"`);
  }
  const keys = URL.canParse(document.jwks_uri) ? new URL(document.jwks_uri) : undefined;
  // The spec takes issuers by https only; their keys must come no other way.
  if (keys?.protocol !== new URL(issuer).protocol) {
    throw new IssuerUnavailable(`Keys of issuer "${issuer}" must come the way it does itself`);
  }
  return createRemoteJWKSet(keys, {
    timeoutDuration: TIMEOUT_MS,
    cooldownDuration: COOLDOWN_MS,
    cacheMaxAge: KEYS_MAX_AGE_MS,
    [customFetch]: ask,
  });
}

/** What the issuer's own answers can be wrong in; everything else of jose's is the token's fault. */
const ISSUERS_FAULT: ReadonlySet<string> = new Set([
  "ERR_JWKS_INVALID",
  "ERR_JWKS_TIMEOUT",
  "ERR_JOSE_GENERIC",
]);

/**
 * Makes the function that tells the subject of a token: signed by the issuer with an asymmetric key, for the audience, and in force. Keys are
 * kept for ten minutes and asked for anew, at most twice a minute, when a token names one that is not among them. Throws `TokenRefused` or
 * `IssuerUnavailable`.
 */
export function createTokenVerifier({
  issuer,
  audience,
}: {
  readonly issuer: string;
  readonly audience: string;
}): (token: string) => Promise<string> {
  let keys: Promise<JWTVerifyGetKey> | undefined;
  const discovered = () => {
    keys ??= discover(issuer).catch((error: unknown) => {
      keys = undefined;
      throw error;
    });
    return keys;
  };
  return async (token) => {
    const getKey = await discovered();
    try {
      const { payload } = await jwtVerify(token, getKey, {
        issuer,
        audience,
        algorithms: ALGORITHMS,
        clockTolerance: CLOCK_TOLERANCE_SECONDS,
        requiredClaims: ["exp", "sub"],
      });
      if (payload.sub === undefined || !SUBJECT.test(payload.sub)) throw new TokenRefused("unusable_subject");
      return payload.sub;
    } catch (error) {
      if (error instanceof TokenRefused || error instanceof IssuerUnavailable) throw error;
      if (error instanceof errors.JOSEError && !ISSUERS_FAULT.has(error.code)) {
        throw new TokenRefused(error.code, { cause: error });
      }
      throw new IssuerUnavailable("The issuer's keys can't be used", { cause: error });
    }
  };
}
