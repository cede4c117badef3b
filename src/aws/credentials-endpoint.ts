import { randomBytes, randomUUID, timingSafeEqual } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { CredentialSource } from "./role-session.ts";

/** Where one run gets its credentials, and the proof that it is that run. */
export interface CredentialsAddress {
  readonly url: string;
  readonly token: string;
}

interface Grant {
  readonly token: Buffer;
  readonly source: CredentialSource;
}

/**
 * Hands sessions to runs over loopback, in the form in which ECS hands them to containers: every SDK of AWS asks it, and asks again
 * before a session ends. So nothing that lasts longer than the run has to be in an environment or on a disk.
 * https://docs.aws.amazon.com/sdkref/latest/guide/feature-container-credentials.html
 */
export class CredentialsEndpoint {
  readonly #server: Server;
  readonly #grants = new Map<string, Grant>();
  readonly #onFailure: (error: unknown) => void;

  private constructor(onFailure: (error: unknown) => void) {
    this.#onFailure = onFailure;
    this.#server = createServer((request, response) => void this.#answer(request, response));
  }

  /** Listens on a free port of loopback; `onFailure` is told why a session could not be had. */
  static async start(onFailure: (error: unknown) => void): Promise<CredentialsEndpoint> {
    const endpoint = new CredentialsEndpoint(onFailure);
    endpoint.#server.listen(0, "127.0.0.1");
    await once(endpoint.#server, "listening");
    return endpoint;
  }

  /** Serves a session until `revoke` is called, to whoever knows the token. */
  grant(source: CredentialSource): CredentialsAddress & { revoke(): void } {
    const id = randomUUID();
    const token = randomBytes(32).toString("base64url");
    this.#grants.set(id, { token: Buffer.from(token), source });
    const { port } = this.#server.address() as AddressInfo;
    return { url: `http://127.0.0.1:${port}/${id}`, token, revoke: () => void this.#grants.delete(id) };
  }

  async close(): Promise<void> {
    this.#grants.clear();
    this.#server.close();
    this.#server.closeAllConnections();
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const grant = request.method === "GET" ? this.#grants.get(request.url?.slice(1) ?? "") : undefined;
    if (grant === undefined)
      return send(response, 404, { code: "NotFound", message: "No run has this address (any more)" });
    const presented = Buffer.from(request.headers.authorization ?? "");
    if (presented.length !== grant.token.length || !timingSafeEqual(presented, grant.token)) {
      return send(response, 401, { code: "Unauthorized", message: "The token is another run's" });
    }
    try {
      const { accessKeyId, secretAccessKey, sessionToken, expiration } = await grant.source();
      send(response, 200, {
        AccessKeyId: accessKeyId,
        SecretAccessKey: secretAccessKey,
        Token: sessionToken,
        Expiration: expiration.toISOString(),
      });
    } catch (error) {
      this.#onFailure(error);
      send(response, 503, { code: "Unavailable", message: "The session could not be renewed" });
    }
  }
}

function send(response: ServerResponse, status: number, body: Readonly<Record<string, string>>): void {
  response
    .writeHead(status, { "content-type": "application/json", "cache-control": "no-store" })
    .end(JSON.stringify(body));
}
