import {
  createRemoteJWKSet,
  customFetch,
  errors,
  type JWTPayload,
  type JWTVerifyGetKey,
  jwtVerify,
} from "jose";
import type { Logger } from "pino";
import Type from "typebox";
import { Value } from "typebox/value";
import { AppError } from "../errors.ts";

export interface OidcConfig {
  /** Exactly as its tokens and its discovery document write it. */
  readonly issuer: string;
  readonly audience: string;
  readonly clockSkewSeconds: number;
}

export interface TokenVerifier {
  readonly issuer: string;
  /** Who an access token speaks of; throws `unauthenticated`, or `unavailable` when the issuer can't be asked. */
  verify(token: string): Promise<{ readonly sub: string; readonly label: string }>;
}

// Only asymmetric ones: whoever can check a symmetric signature can also make one.
const algorithms = [
  ...["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"],
  ...["ES256", "ES384", "ES512", "EdDSA", "Ed25519"],
];
const timeoutMs = 5_000;
// Whoever sends tokens with invented key ids must not make the service flood the issuer.
const cooldownMs = 30_000;
const cacheMs = 10 * 60_000;
// While the issuer is down, every token would wait for it anew.
const retryMs = 5_000;

const Discovery = Type.Object({ issuer: Type.String(), jwks_uri: Type.String() });

/** Whether a text is an address that tokens and keys may come from: https, or this machine. */
export function isIssuerUrl(text: string): boolean {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || url.username !== "" || url.password !== "" || /[?#]/.test(text)) return false;
  return isTrustworthy(url);
}

function isTrustworthy({ protocol, hostname }: URL): boolean {
  return (
    protocol === "https:" ||
    (protocol === "http:" && /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/.test(hostname))
  );
}

/** Verifies access tokens of one issuer. The issuer is first asked when the first token comes: it needn't be up before. */
export function tokenVerifier(
  { issuer, audience, clockSkewSeconds }: OidcConfig,
  log: Logger,
): TokenVerifier {
  const ask = patientFetch(log);
  let keys: Promise<JWTVerifyGetKey> | undefined;
  let failedAt: number | undefined;
  const discoveredKeys = () => {
    if (failedAt !== undefined && Date.now() >= failedAt + retryMs) keys = undefined;
    if (keys !== undefined) return keys;
    failedAt = undefined;
    keys = discover(issuer, ask);
    keys.catch(() => {
      failedAt = Date.now();
    });
    return keys;
  };
  return {
    issuer,
    verify: async (token) => {
      const getKey = await discoveredKeys();
      try {
        const { payload } = await jwtVerify(token, getKey, {
          issuer,
          audience,
          algorithms,
          clockTolerance: clockSkewSeconds,
          requiredClaims: ["exp", "iat", "sub"],
        });
        return personOf(payload, Date.now() / 1_000 + clockSkewSeconds);
      } catch (error) {
        throw translated(error, log);
      }
    },
  };
}

type Fetch = (url: string | URL, init?: RequestInit) => Promise<Response>;

/** Asks the issuer; what fails is answered at once for a while, so that the next caller needn't wait as long again. */
function patientFetch(log: Logger): Fetch {
  let asksAgainAt = 0;
  return async (url, init = {}) => {
    if (Date.now() < asksAgainAt) throw unreachable();
    try {
      const response = await fetch(url, {
        ...init,
        redirect: "error",
        signal: AbortSignal.timeout(timeoutMs),
      });
      if (response.status === 200) return response;
      await response.body?.cancel();
      throw new Error(`${url} was answered with ${response.status}`);
    } catch (cause) {
      asksAgainAt = Date.now() + retryMs;
      log.warn({ err: cause }, "the issuer of access tokens can't be reached");
      throw unreachable(cause);
    }
  };
}

/** https://openid.net/specs/openid-connect-discovery-1_0.html, section 4 */
async function discover(issuer: string, ask: Fetch): Promise<JWTVerifyGetKey> {
  const response = await ask(`${issuer.replace(/\/$/, "")}/.well-known/openid-configuration`);
  const document: unknown = await response.json().catch((cause: unknown) => {
    throw unreachable(cause);
  });
  if (!Value.Check(Discovery, document))
    throw unreachable(new Error("The discovery document names no issuer or no keys"));
  if (document.issuer !== issuer) {
    throw unreachable(new Error(`The discovery document is of issuer "${document.issuer}", not "${issuer}"`));
  }
  const address = URL.canParse(document.jwks_uri) ? new URL(document.jwks_uri) : undefined;
  if (address === undefined || !isTrustworthy(address))
    throw unreachable(new Error(`Keys must come by https, not from "${document.jwks_uri}"`));
  return createRemoteJWKSet(address, {
    timeoutDuration: timeoutMs,
    cooldownDuration: cooldownMs,
    cacheMaxAge: cacheMs,
    [customFetch]: ask,
  });
}

// What the issuer's own answers can be wrong in; everything else of jose's is the token's fault.
const issuersFault: ReadonlySet<string> = new Set([
  "ERR_JWKS_INVALID",
  "ERR_JWKS_TIMEOUT",
  "ERR_JOSE_GENERIC",
]);

function translated(error: unknown, log: Logger): AppError {
  if (error instanceof AppError) return error;
  if (!(error instanceof errors.JOSEError) || issuersFault.has(error.code)) {
    log.warn({ err: error }, "the issuer's keys can't be used");
    return unreachable(error);
  }
  if (error instanceof errors.JWTExpired) {
    return new AppError("unauthenticated", "The access token has expired: get a new one from the issuer", {
      cause: error,
    });
  }
  const claim = error instanceof errors.JWTClaimValidationFailed ? ` (claim "${error.claim}")` : "";
  return new AppError(
    "unauthenticated",
    `The access token is not valid${claim}: get one from the configured issuer, for the configured audience`,
    { cause: error },
  );
}

function unreachable(cause?: unknown): AppError {
  return new AppError(
    "unavailable",
    "The issuer of access tokens can't be asked at the moment: try again, or use an API key",
    { cause, details: { retryAfterSeconds: retryMs / 1_000 } },
  );
}

/** At most 255 ASCII characters, as OpenID Connect Core, section 2, has it. */
export const subjectPattern = "[\\x20-\\x7e]{1,255}";
const subjectFormat = new RegExp(`^${subjectPattern}$`);

function personOf(payload: JWTPayload, latestSeconds: number): { sub: string; label: string } {
  const { sub, iat } = payload;
  if (typeof sub !== "string" || !subjectFormat.test(sub)) throw invalidClaim(payload, "sub");
  if (typeof iat !== "number" || iat > latestSeconds) throw invalidClaim(payload, "iat");
  const label = [payload.email, payload.preferred_username, payload.name]
    .map(asLabel)
    .find((text) => text !== "");
  return { sub, label: label ?? sub };
}

function invalidClaim(payload: JWTPayload, claim: string): errors.JWTClaimValidationFailed {
  return new errors.JWTClaimValidationFailed(
    `unusable "${claim}" claim value`,
    payload,
    claim,
    "check_failed",
  );
}

// It is shown in lists and logs: nothing in it may break a line or run on for ever.
function asLabel(claim: unknown): string {
  return typeof claim === "string" ? claim.replaceAll(/\p{C}/gu, "").trim().slice(0, 200).toWellFormed() : "";
}
