import { request } from "node:https";
import { ReleaseFailed } from "./failures.ts";
import type { Answer, Request } from "./serving.ts";
import type { TaskBackend } from "./settings.ts";

/** As long as the gate waits. */
const TIMEOUT_MS = 27_000;

/**
 * Asks tasks through the load balancer: those that callers reach, or those that have none yet, behind its second listener. The balancer
 * is reached by its own address and proves the name in its certificate. Throws `TestsFailed` for every answer but 200, and when there is
 * none.
 */
export function askTasks(
  { address, host, testPort }: TaskBackend,
  behind: "callers" | "trials",
  { contentType, accept = contentType, body }: Request,
): Promise<Answer> {
  const { hostname, port } = new URL(`https://${address}`);
  const startedMs = performance.now();
  return new Promise((resolve, reject) => {
    const fail = (message: string, cause?: unknown) =>
      reject(new ReleaseFailed("TestsFailed", `The tasks ${message}`, { cause }));
    const outgoing = request(
      {
        host: hostname,
        servername: host,
        port: behind === "trials" ? testPort : port || 443,
        path: "/invocations",
        method: "POST",
        timeout: TIMEOUT_MS,
        agent: false,
        headers: {
          host,
          "content-type": contentType,
          accept,
          "content-length": Buffer.byteLength(body),
        },
      },
      async (incoming) => {
        try {
          const text = Buffer.concat(await incoming.toArray()).toString();
          if (incoming.statusCode !== 200) return fail(`answer with status ${incoming.statusCode}`);
          resolve({
            contentType: incoming.headers["content-type"] ?? contentType,
            body: text,
            ms: performance.now() - startedMs,
          });
        } catch (error) {
          fail("break their answer off", error);
        }
      },
    );
    outgoing.on("timeout", () => outgoing.destroy(new Error(`no answer within ${TIMEOUT_MS} ms`)));
    outgoing.on("error", (error) => fail("can't be reached", error));
    outgoing.end(body);
  });
}
