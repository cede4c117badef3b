import { once } from "node:events";
import { createServer, type IncomingMessage, type Server } from "node:http";
import { SageMakerClient } from "@aws-sdk/client-sagemaker";
import { afterEach, describe, expect, it } from "vitest";
import { readSageMaker } from "../../../src/pipelines/sagemaker.ts";
import { sandboxSageMakerClients } from "../../../src/pipelines/sagemaker-clients.ts";

const names = { pipeline: "aidlc-ml-churn", modelPackageGroup: "aidlc-ml-churn-models" };
const servers: Server[] = [];

afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

/** An endpoint that answers SageMaker's JSON protocol from a table, by operation. */
async function endpoint(answers: Record<string, { status?: number; body: object }>) {
  const requests: IncomingMessage[] = [];
  const server = createServer((request, response) => {
    requests.push(request);
    request.resume();
    const operation = String(request.headers["x-amz-target"]).replace("SageMaker.", "");
    const { status = 200, body } = answers[operation] ?? {
      status: 404,
      body: { __type: "UnknownOperation" },
    };
    response.writeHead(status, { "content-type": "application/x-amz-json-1.1" });
    response.end(JSON.stringify(body));
  });
  servers.push(server);
  await once(server.listen(0, "127.0.0.1"), "listening");
  return { url: `http://127.0.0.1:${(server.address() as { port: number }).port}`, requests };
}

const client = (url: string) =>
  new SageMakerClient({
    region: "eu-central-1",
    endpoint: url,
    maxAttempts: 1,
    credentials: { accessKeyId: "a", secretAccessKey: "b" },
  });

const healthy = {
  DescribePipeline: {
    body: {
      PipelineName: names.pipeline,
      PipelineArn: "arn:p",
      PipelineStatus: "Active",
      LastModifiedTime: 1_700_000_000,
    },
  },
  ListPipelineExecutions: {
    body: {
      PipelineExecutionSummaries: [
        { PipelineExecutionArn: "arn:e", PipelineExecutionStatus: "Failed", StartTime: 1_700_000_100 },
      ],
    },
  },
  ListModelPackages: {
    body: {
      ModelPackageSummaryList: [
        {
          ModelPackageArn: "arn:m",
          ModelPackageVersion: 3,
          ModelPackageStatus: "Completed",
          ModelApprovalStatus: "Approved",
        },
      ],
    },
  },
};

describe("readSageMaker", () => {
  it("tells pipeline, executions and model packages in plain words and moments", async () => {
    const { url } = await endpoint(healthy);
    expect(await readSageMaker(client(url), names)).toEqual({
      pipeline: {
        name: names.pipeline,
        arn: "arn:p",
        status: "Active",
        lastModifiedAt: "2023-11-14T22:13:20.000Z",
      },
      executions: [{ arn: "arn:e", status: "Failed", startedAt: "2023-11-14T22:15:00.000Z" }],
      modelPackages: [{ arn: "arn:m", version: 3, status: "Completed", approval: "Approved" }],
    });
  });

  it("names what SageMaker refused in place of an answer, and doesn't fail", async () => {
    const refusal = {
      status: 400,
      body: { __type: "ResourceNotFound", message: "Pipeline does not exist." },
    };
    const { url } = await endpoint({ ...healthy, DescribePipeline: refusal });
    expect(await readSageMaker(client(url), names)).toEqual({
      unavailable: expect.stringMatching(/ResourceNotFound.*does not exist/),
      executions: [],
      modelPackages: [],
    });
  });

  it("says so when nobody answers at all", async () => {
    const status = await readSageMaker(client("http://127.0.0.1:1"), names);
    expect(status).toMatchObject({ unavailable: expect.stringMatching(/did not answer/), executions: [] });
  });
});

describe("clients for the sandbox", () => {
  it("carry the administrator's token in place of a signature, and are made once per account and region", async () => {
    const { url, requests } = await endpoint(healthy);
    const clients = sandboxSageMakerClients(() => url, "the-token");
    const aws = { accountId: "111122223333", region: "eu-central-1" };
    const account = { team: "research", name: "main", aws, externalId: "aidlc-1" };
    await readSageMaker(clients(account), names);
    expect(requests).toHaveLength(3);
    for (const request of requests) expect(request.headers.authorization).toBe("Bearer the-token");
    expect(clients({ ...account })).toBe(clients(account));
    expect(clients({ ...account, aws: { ...aws, accountId: "444455556666" } })).not.toBe(clients(account));
    expect(clients({ ...account, aws: { ...aws, region: "eu-west-1" } })).not.toBe(clients(account));
  });
});
