import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

interface Content {
  readonly parameters: readonly { readonly Name: string; readonly Value: string }[];
  readonly traffic: Readonly<Record<string, number>>;
}

const [{ parameters, traffic }] = (await once(process, "message")) as [Content];

/** Stands for SSM, S3 and SageMaker, and answers at once what the gate needs to go on. */
const server = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on("data", (chunk: Buffer) => chunks.push(chunk));
  request.on("end", () => {
    response.setHeader("content-type", "application/json");
    if (request.method === "PUT") return response.setHeader("etag", '"0"').end();
    if (request.method === "GET") return response.setHeader("etag", '"0"').end(JSON.stringify(traffic));
    if (request.url !== "/") {
      const { instances } = JSON.parse(Buffer.concat(chunks).toString()) as { instances: unknown[] };
      const predictions = instances.map(() => ({ prediction: "Adelie", probability: 0.97 }));
      return response.end(JSON.stringify({ predictions }));
    }
    const { NextToken: token = "0" } = JSON.parse(Buffer.concat(chunks).toString()) as { NextToken?: string };
    const from = Number(token);
    const next = from + 10 < parameters.length ? { NextToken: String(from + 10) } : {};
    return response.end(JSON.stringify({ Parameters: parameters.slice(from, from + 10), ...next }));
  });
});
server.listen(0, "127.0.0.1");
await once(server, "listening");
process.send?.(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
process.on("disconnect", () => process.exit());
