import type { IncomingMessage } from "node:http";
import { Agent, request } from "node:https";
import { text as readText } from "node:stream/consumers";
import { failedWith } from "./function-model.ts";
import { type Model, versionIn } from "./model.ts";
import { GateProblem } from "./problems.ts";

/** Requests under way of one environment: it answers one at a time, so one connection is kept. */
const agent = new Agent({ keepAlive: true, maxSockets: 4 });

const SOURCE = { endpoint: "predict", variant: "live" } as const;

/**
 * A model in containers behind the internal load balancer. `address` is the balancer's own (with a port, where it isn't 443), `host`
 * the name that its certificate must prove.
 */
export function containerModel({
  address,
  host,
}: {
  readonly address: string;
  readonly host: string;
}): Model {
  const { hostname, port } = new URL(`https://${address}`);
  const send = async (method: "GET" | "POST", path: string, timeoutMs: number, body = "") => {
    try {
      const answer = await new Promise<IncomingMessage>((resolve, reject) => {
        request(
          {
            agent,
            method,
            path,
            hostname,
            port: port || 443,
            servername: host,
            signal: AbortSignal.timeout(timeoutMs),
            headers: {
              host,
              accept: "application/json",
              ...(method === "POST" && {
                "content-type": "application/json",
                "content-length": Buffer.byteLength(body),
              }),
            },
          },
          resolve,
        )
          .on("error", reject)
          .end(body);
      });
      return { answer, text: await readText(answer) };
    } catch (cause) {
      const { name } = cause as Error;
      throw name === "AbortError" || name === "TimeoutError"
        ? new GateProblem("model_timeout", "Ask again, or for fewer rows", { cause, retryAfterSeconds: 5 })
        : new GateProblem("model_unavailable", "The load balancer can't be reached", {
            cause,
            retryAfterSeconds: 5,
          });
    }
  };
  return {
    ask: async ({ body, timeoutMs }) => {
      const { answer, text } = await send("POST", "/invocations", timeoutMs, body);
      const { statusCode = 500, headers } = answer;
      if (statusCode >= 400) throw failedWith(statusCode);
      const attributes = headers["x-amzn-sagemaker-custom-attributes"];
      return {
        source: SOURCE,
        contentType: headers["content-type"] ?? "application/json",
        text,
        ...versionIn(typeof attributes === "string" ? attributes : undefined),
      };
    },
    check: async (timeoutMs) => {
      const { answer } = await send("GET", "/ping", timeoutMs);
      if ((answer.statusCode ?? 500) >= 400) throw failedWith(503);
    },
  };
}
