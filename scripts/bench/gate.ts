import { fork } from "node:child_process";
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { once } from "node:events";
import { arch, cpus } from "node:os";
import { fileURLToPath } from "node:url";
import { createHandler } from "../../handlers/gate/handler.ts";
import { configurationParameters } from "../../programs/configuration.ts";
import { TRAFFIC } from "../../programs/storage-layout.ts";
import { exampleSpecs } from "../programs/example-specs.ts";
import { percentile, rounded } from "./figures.ts";
import { instancesOf } from "./gate/instances.ts";

const ENDPOINT = "blue";
const target = 5;
const warmUp = 500;

/**
 * The gate's own time for a request: from the event to the answer, less the time in which a request of its was under way to a server
 * that answers at once. In this process, with the spec of the penguins, serverless endpoints, every check, the capture of every
 * request, its log line and metrics.
 */
export async function benchGate(
  environment: NodeJS.ProcessEnv,
  print: (line: string) => void,
  { quick }: { readonly quick: boolean },
) {
  // The SDK looks for them there; nobody checks them here.
  Object.assign(environment, { AWS_ACCESS_KEY_ID: "bench", AWS_SECRET_ACCESS_KEY: "bench" });
  const servers = fork(fileURLToPath(new URL("./gate/servers.ts", import.meta.url)), [], {
    // Only the standard output is quiet: errors are for whoever looks at the bench.
    stdio: ["ignore", "ignore", "inherit", "ipc"],
  });
  try {
    const { spec } = exampleSpecs().find(({ name }) => name === "penguins") ?? {};
    if (spec === undefined) throw new Error("The example of the penguins is gone");
    const prefix = "/aidlc/research/penguins";
    const backend = { mode: "serverless", endpoints: [ENDPOINT], variant: "primary" };
    servers.send({
      parameters: [
        ...configurationParameters(spec),
        { name: "serving/backend", value: JSON.stringify(backend) },
      ].map(({ name, value }) => ({ Name: `${prefix}/${name}`, Value: value })),
      traffic: { [ENDPOINT]: 100 },
    });
    const [url] = (await once(servers, "message")) as [string];
    const handler = createHandler({
      AWS_ENDPOINT_URL: url,
      AWS_REGION: "eu-west-1",
      AIDLC_PARAMETER_PREFIX: prefix,
      AIDLC_METRIC_NAMESPACE: "AIDLC/research/penguins",
      AIDLC_PREDICTIONS_BUCKET: "predictions",
      AIDLC_RATE_PER_SECOND: "10000",
      AIDLC_TRAFFIC_URI: `s3://models/${TRAFFIC}`,
    });
    const measured = [];
    for (const rows of [1, 100]) {
      const times = await measure(handler, rows, quick ? 1000 : 5000);
      const at = (percent: number, time: keyof Times) =>
        rounded(
          percentile(
            times.map((each) => each[time]),
            percent,
          ),
        );
      const figures = {
        rows,
        requests: times.length,
        p50Ms: at(50, "ownMs"),
        p99Ms: at(99, "ownMs"),
        cpuP50Ms: at(50, "cpuMs"),
        cpuP99Ms: at(99, "cpuMs"),
        wholeP50Ms: at(50, "wholeMs"),
        wholeP99Ms: at(99, "wholeMs"),
      };
      print(
        `${rows} ${rows === 1 ? "row" : "rows"}: own time p50 ${figures.p50Ms} ms, p99 ${figures.p99Ms} ms (target for one row: p50 below ${target} ms); processor time p50 ${figures.cpuP50Ms} ms, p99 ${figures.cpuP99Ms} ms; with loopback p50 ${figures.wholeP50Ms} ms, p99 ${figures.wholeP99Ms} ms`,
      );
      measured.push(figures);
    }
    const [single] = measured;
    const machine = { cpu: cpus()[0]?.model ?? "", cpus: cpus().length, arch: arch() };
    const { p50Ms: gateP50Ms, p99Ms: gateP99Ms, cpuP50Ms: gateCpuP50Ms } = single ?? {};
    return { gateP50Ms, gateP99Ms, gateCpuP50Ms, measured, machine };
  } finally {
    servers.kill();
  }
}

interface Times {
  readonly ownMs: number;
  /** Of the thread, with the loopback's; it doesn't need a quiet machine. */
  readonly cpuMs: number;
  readonly wholeMs: number;
}

async function measure(
  handler: ReturnType<typeof createHandler>,
  rows: number,
  requests: number,
): Promise<Times[]> {
  const clock = networkClock();
  const write = process.stdout.write;
  // Lambda reads what is logged from a pipe; here it would be among the figures.
  process.stdout.write = () => true;
  try {
    const times: Times[] = [];
    for (let index = 0; index < warmUp + requests; index++) {
      const event = anEvent(instancesOf(rows, index), index);
      const beganMs = performance.now();
      const networkBefore = clock.networkMs();
      const cpuBefore = process.threadCpuUsage();
      const { statusCode, body } = await handler(event, { getRemainingTimeInMillis: () => 28_000 });
      const wholeMs = performance.now() - beganMs;
      if (statusCode !== 200) throw new Error(`The gate answered ${statusCode}: ${body}`);
      if (index < warmUp) continue;
      const cpu = process.threadCpuUsage(cpuBefore);
      const cpuMs = (cpu.user + cpu.system) / 1000;
      times.push({ wholeMs, cpuMs, ownMs: wholeMs - (clock.networkMs() - networkBefore) });
    }
    return times;
  } finally {
    process.stdout.write = write;
    clock.close();
  }
}

/** Adds up how long requests of this process are under way, one at a time, from being sent to the end of their answers. */
function networkClock() {
  let total = 0;
  const begun = new Map<unknown, number>();
  const start = (message: unknown) => {
    begun.set((message as { request: unknown }).request, performance.now());
  };
  const finish = (message: unknown) => {
    const { request } = message as { request: unknown };
    total += performance.now() - (begun.get(request) ?? performance.now());
    begun.delete(request);
  };
  subscribe("http.client.request.start", start);
  subscribe("http.client.response.finish", finish);
  return {
    networkMs: () => total,
    close: () => {
      unsubscribe("http.client.request.start", start);
      unsubscribe("http.client.response.finish", finish);
    },
  };
}

function anEvent(instances: readonly object[], index: number) {
  return {
    resource: "/predictions",
    httpMethod: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ instances }),
    isBase64Encoded: false,
    requestContext: {
      requestId: `request-${index}`,
      identity: {
        // Several callers, so that the watch has something to remember.
        userArn: `arn:aws:iam::123456789012:role/caller-${index % 50}`,
        apiKeyId: null,
        sourceIp: "198.51.100.7",
      },
    },
  };
}
