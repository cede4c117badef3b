import type pg from "pg";
import type { Logger } from "pino";
import { AppError } from "../errors.ts";
import { Gathered } from "../postgres/gathered.ts";
import { grantsOfUser } from "./grant-store.ts";
import { rolesOf } from "./grants.ts";
import { digestOfKey, keyStart, prefixOf, sameSecret } from "./key-format.ts";
import { findPresentedKeys, type PresentedKey, touchKey } from "./key-store.ts";
import { type OidcConfig, type TokenVerifier, tokenVerifier } from "./oidc.ts";
import type { Principal } from "./principal.ts";

/** Tells who sends requests. */
export interface Identities {
  /** The issuer whose subjects can be members; undefined: only keys are. */
  readonly issuer: string | undefined;
  /**
   * Who bears a token, for a request to the route with this path; throws `unauthenticated`, or `unavailable` when it can't be
   * found out at the moment.
   */
  authenticate(token: string, route: string | undefined): Promise<Principal>;
}

export interface IdentitiesOptions {
  readonly pool: pg.Pool;
  readonly oidc: OidcConfig | undefined;
  /** Opens `POST /v1/bootstrap` and nothing else. */
  readonly bootstrapToken: string | undefined;
  /** Opens `/sandbox/aws/` and nothing else: the service's own calls to the sandbox. */
  readonly internalToken: string;
  readonly log: Logger;
}

export const bootstrapPath = "/v1/bootstrap";
const sandboxApis = "/sandbox/aws/";

const noRoles = rolesOf([]);
const serviceItself: Principal = { subject: "service", label: "the service", ...noRoles };
const bootstrapBearer: Principal = { subject: "bootstrap", label: "bootstrap token", ...noRoles };

export function openIdentities(options: IdentitiesOptions): Identities {
  const { pool, oidc, log } = options;
  const keys = new Keys(pool, log);
  const verifier = oidc === undefined ? undefined : tokenVerifier(oidc, log);
  const internal = digestOfKey(options.internalToken);
  const bootstrap = options.bootstrapToken === undefined ? undefined : digestOfKey(options.bootstrapToken);
  return {
    issuer: oidc?.issuer,
    authenticate: async (token, route) => {
      const bootstraps = bootstrap !== undefined && sameSecret(token, bootstrap);
      if (route === bootstrapPath) {
        if (bootstraps) return bootstrapBearer;
        throw unauthenticated("POST /v1/bootstrap takes nothing but the token in AIDLC_BOOTSTRAP_TOKEN");
      }
      if (bootstraps) {
        throw unauthenticated(
          "The bootstrap token opens nothing but POST /v1/bootstrap, and that once: use the key that it answers",
        );
      }
      if (route?.startsWith(sandboxApis) && sameSecret(token, internal)) return serviceItself;
      if (token.startsWith(keyStart)) return keys.principalOf(token);
      if (verifier !== undefined && token.split(".").length === 3) return userOf(pool, verifier, token);
      throw unauthenticated("The token is not valid: send an API key or an access token of the issuer");
    },
  };
}

class Keys {
  readonly #pool: pg.Pool;
  readonly #log: Logger;
  readonly #touching = new Set<string>();
  readonly #keys: Gathered<PresentedKey>;

  constructor(pool: pg.Pool, log: Logger) {
    this.#pool = pool;
    this.#keys = new Gathered((prefixes) => findPresentedKeys(pool, prefixes));
    this.#log = log;
  }

  async principalOf(token: string): Promise<Principal> {
    const prefix = prefixOf(token);
    const key = prefix === undefined ? undefined : await this.#keys.find(prefix);
    if (key === undefined || !sameSecret(token, key.digest))
      throw unauthenticated("There is no such API key: ask for a new one");
    if (key.revoked) throw unauthenticated(`The API key "${key.name}" was revoked: ask for a new one`);
    if (key.expired) {
      const since = key.expiresAt.toISOString();
      throw unauthenticated(`The API key "${key.name}" has expired at ${since}: ask for a new one`);
    }
    if (!key.usedRecently) this.#touch(key.id);
    return { subject: `key:${key.id}`, label: key.name, ...rolesOf(key.grants) };
  }

  /** Not waited for: no request is slower, and none fails, for the sake of a note. */
  #touch(id: string): void {
    if (this.#touching.has(id)) return;
    this.#touching.add(id);
    touchKey(this.#pool, id)
      .catch((error: unknown) => this.#log.warn({ err: error, key: id }, "the use of a key was not noted"))
      .finally(() => this.#touching.delete(id));
  }
}

async function userOf(pool: pg.Pool, verifier: TokenVerifier, token: string): Promise<Principal> {
  const { sub, label } = await verifier.verify(token);
  const subject = `user:${sub}`;
  return { subject, label, ...rolesOf(await grantsOfUser(pool, verifier.issuer, subject)) };
}

function unauthenticated(message: string): AppError {
  return new AppError("unauthenticated", message);
}
