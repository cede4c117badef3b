import type { AwsAnswer, AwsRequest } from "../../support/aws-recorder.ts";
import { json, jsonError } from "./aws-answers.ts";

interface Endpoint {
  config: string;
  status: string;
  changedMs: number;
  pending?: string;
  reason?: string;
}

type EndpointModel = (
  config: string,
  body: string,
  asked: Pick<AwsRequest, "contentType" | "accept">,
) => { readonly status: number; readonly body: string };

/** How a change that is under way ends. */
type Fate = "well" | "fails" | "turns back";

/** SageMaker's endpoints: each look at one that is on its way brings it a step further. */
export class EndpointsDouble {
  readonly all = new Map<string, Endpoint>();
  /** By endpoint; well unless said otherwise. */
  readonly fates = new Map<string, Fate>();
  readonly updates: Record<string, unknown>[] = [];
  readonly created: Record<string, unknown>[] = [];
  readonly #now: () => Date;
  readonly #model: EndpointModel;

  constructor(now: () => Date, model: EndpointModel) {
    this.#now = now;
    this.#model = model;
  }

  answer(request: AwsRequest): AwsAnswer | undefined {
    const { target, path, body } = request;
    const [, invoked] = /^\/endpoints\/([^/]+)\/invocations/.exec(path) ?? [];
    if (invoked !== undefined) return this.#invoke(invoked, request);
    const input = target?.startsWith("SageMaker.") ? JSON.parse(body || "{}") : {};
    const name = String(input.EndpointName);
    switch (target) {
      case "SageMaker.CreateEndpoint":
        if (this.all.has(name))
          return jsonError("ValidationException", "Cannot create already existing endpoint");
        this.created.push(input);
        this.all.set(name, {
          config: input.EndpointConfigName,
          status: "Creating",
          changedMs: this.#nextMs(),
        });
        return json({ EndpointArn: `arn:aws:sagemaker:eu-west-1:123456789012:endpoint/${name}` });
      case "SageMaker.UpdateEndpoint": {
        const endpoint = this.all.get(name);
        if (endpoint?.status !== "InService")
          return jsonError("ValidationException", `Cannot update ${name}`);
        this.updates.push(input);
        Object.assign(endpoint, {
          status: "Updating",
          pending: input.EndpointConfigName,
          changedMs: this.#nextMs(),
        });
        return json({ EndpointArn: name });
      }
      case "SageMaker.DeleteEndpoint": {
        const endpoint = this.all.get(name);
        if (endpoint === undefined) return missing(name);
        if (endpoint.status !== "InService" && endpoint.status !== "Failed") {
          return jsonError("ValidationException", `Cannot delete in-progress endpoint ${name}`);
        }
        this.all.delete(name);
        return json({});
      }
      case "SageMaker.DescribeEndpoint":
        return this.#describe(name);
      default:
        return undefined;
    }
  }

  #describe(name: string): AwsAnswer {
    const endpoint = this.all.get(name);
    if (endpoint === undefined) return missing(name);
    const { config, status, changedMs, reason } = endpoint;
    const described = json({
      EndpointName: name,
      EndpointArn: `arn:aws:sagemaker:eu-west-1:123456789012:endpoint/${name}`,
      EndpointConfigName: config,
      EndpointStatus: status,
      LastModifiedTime: changedMs / 1000,
      CreationTime: changedMs / 1000,
      FailureReason: reason,
    });
    this.#goOn(name, endpoint);
    return described;
  }

  #goOn(name: string, endpoint: Endpoint): void {
    const fate = this.fates.get(name) ?? "well";
    if (endpoint.status === "Creating") {
      endpoint.status = fate === "well" ? "InService" : "Failed";
      if (fate !== "well") endpoint.reason = "The container did not pass its ping health check";
    } else if (endpoint.status === "Updating" && fate === "well") {
      endpoint.status = "InService";
      endpoint.config = endpoint.pending ?? endpoint.config;
    } else if (endpoint.status === "Updating") {
      endpoint.status = "RollingBack";
    } else if (endpoint.status === "RollingBack") {
      endpoint.status = fate === "fails" ? "UpdateRollbackFailed" : "InService";
    }
  }

  #invoke(name: string, request: AwsRequest): AwsAnswer {
    const endpoint = this.all.get(name);
    if (endpoint === undefined) return jsonError("ValidationError", `Endpoint ${name} not found`);
    const answer = this.#model(endpoint.config, request.body, request);
    return answer.status === 200
      ? { status: 200, type: "application/json", body: answer.body }
      : {
          status: 424,
          type: "application/json",
          headers: { "x-amzn-errortype": "ModelError" },
          body: JSON.stringify({ Message: "Received server error", OriginalStatusCode: answer.status }),
        };
  }

  /** Every change is later than the one before. */
  #lastMs = 0;
  #nextMs(): number {
    this.#lastMs = Math.max(this.#now().getTime(), this.#lastMs + 1000);
    return this.#lastMs;
  }
}

const missing = (name: string) =>
  jsonError(
    "ValidationException",
    `Could not find endpoint "arn:aws:sagemaker:eu-west-1:123456789012:endpoint/${name}".`,
  );
