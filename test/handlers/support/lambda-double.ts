import type { AwsAnswer, AwsRequest } from "../../support/aws-recorder.ts";

interface Published {
  readonly number: string;
  readonly image: string;
  readonly variables: Readonly<Record<string, string>>;
}

/** One function from an image, its versions and its alias; a change of it takes as long as a look. */
export class LambdaDouble {
  readonly versions: Published[] = [];
  alias = { version: "", weights: {} as Record<string, number> };
  #function:
    | { name: string; image: string; variables: Record<string, string>; busy: boolean; fails: boolean }
    | undefined;
  readonly #model: (version: string, body: string) => { readonly status: number; readonly body: string };

  constructor(model: (version: string, body: string) => { readonly status: number; readonly body: string }) {
    this.#model = model;
  }

  /** As the program makes it with the first release. */
  create(name: string, modelPackageArn: string): void {
    const variables = { AIDLC_MODEL_PACKAGE: modelPackageArn };
    this.#function = { name, image: "first", variables, busy: false, fails: false };
    this.alias.version = this.#publish();
  }

  answer({ method, path, body }: AwsRequest): AwsAnswer | undefined {
    const url = new URL(path, "http://lambda");
    const [, name, rest = ""] = /^\/2015-03-31\/functions\/([^/]+)(\/.*)?$/.exec(url.pathname) ?? [];
    if (name === undefined) return undefined;
    if (this.#function?.name !== name) return refused(404, "ResourceNotFoundException");
    const input = body.startsWith("{") ? JSON.parse(body) : {};
    const qualifier = url.searchParams.get("Qualifier") ?? undefined;
    switch (`${method} ${rest}`) {
      case "GET ":
        return this.#describe(qualifier);
      case "PUT /code":
        Object.assign(this.#function, { image: input.ImageUri, busy: true });
        return ok({});
      case "PUT /configuration":
        Object.assign(this.#function, { variables: input.Environment.Variables, busy: true });
        return ok({});
      case "POST /versions":
        return ok({ Version: this.#publish() }, 201);
      case "GET /aliases/live":
        return ok({
          FunctionVersion: this.alias.version,
          RoutingConfig: { AdditionalVersionWeights: this.alias.weights },
        });
      case "PUT /aliases/live":
        this.alias = {
          version: input.FunctionVersion,
          weights: input.RoutingConfig.AdditionalVersionWeights,
        };
        return ok({});
      case "POST /invocations":
        return this.#invoke(qualifier ?? "", body);
      default:
        return undefined;
    }
  }

  #publish(): string {
    const { image = "", variables = {} } = this.#function ?? {};
    const last = this.versions.at(-1);
    // Nothing is published twice that hasn't changed since.
    if (last?.image === image && JSON.stringify(last.variables) === JSON.stringify(variables))
      return last.number;
    const number = String(this.versions.length + 1);
    this.versions.push({ number, image, variables });
    return number;
  }

  #describe(qualifier: string | undefined): AwsAnswer {
    const current = this.#function;
    const wanted = qualifier === "live" ? this.alias.version : qualifier;
    const version = this.versions.find(({ number }) => number === wanted);
    if (current === undefined || (qualifier !== undefined && version === undefined)) {
      return refused(404, "ResourceNotFoundException");
    }
    const { image, variables } = version ?? current;
    const LastUpdateStatus = current.busy ? "InProgress" : "Successful";
    current.busy = false;
    return ok({
      Configuration: {
        Version: version?.number ?? "$LATEST",
        State: "Active",
        LastUpdateStatus,
        RevisionId: "r",
        Environment: { Variables: variables },
      },
      Code: { ImageUri: image },
    });
  }

  #invoke(qualifier: string, body: string): AwsAnswer {
    const answer = this.#model(qualifier, body);
    return answer.status === 200
      ? { status: 200, type: "application/json", body: answer.body }
      : {
          status: 200,
          type: "application/json",
          headers: { "x-amz-function-error": "Unhandled" },
          body: "{}",
        };
  }
}

const ok = (body: unknown, status = 200): AwsAnswer => ({
  status,
  type: "application/json",
  body: JSON.stringify(body),
});

const refused = (status: number, code: string): AwsAnswer => ({
  status,
  type: "application/json",
  headers: { "x-amzn-errortype": code },
  body: JSON.stringify({ Message: code }),
});
